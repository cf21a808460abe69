use strict;
use warnings;
use lib 't/lib';
use MNT;
use MNTRTMP;
use Test::More;
use Time::HiRes qw(time sleep);

# ING-06, ING-08, LIV-06, LIV-10: however a broadcast ends, viewers are told,
# nothing of what was sent is lost but the last fragment, no live file remains,
# and who comes back goes on: the encoder stops, is killed, says nothing more;
# the worker that has it is killed; all of nginx is.

my $m = MNTRTMP->new(workers => 3, silence => '3s', update => '1s',
                     mntreamer => 'resume_window 60s;',
                     allow_log => qr/exited on signal 9/);
$m->start;
$m->up;

my @kinds = qw(stop kill mute worker crash gone);
my (%s, %p, %name, %r, %old);

sub of {
    my ($k) = @_;
    return grep { $_->{streamer_id} == $s{$k}{id} } @{ $m->recordings };
}

sub entries { return playlist_entries($m->playlist($_[0])) }

sub returns {
    my ($k) = @_;
    $p{$k} = $m->publish($s{$k}{key}) if !$p{$k} || !$m->runs($p{$k});
    my $now = $m->on_air($s{$k});
    return $now && $now ne $name{$k} && $m->segments($now);
}

for my $k (@kinds) {
    $s{$k} = $m->camera($k);
    $p{$k} = $k eq 'mute'
        ? $m->speaker('mute', 'play', '--mute', 5, MNTRTMP::clip(),
                      $m->rtmp("ingest/$s{mute}{key}"))
        : $m->publish($s{$k}{key});
}
for my $k (@kinds) {
    $name{$k} = wait_for(sub { $m->on_air($s{$k}) }, "$k is on the air");
    ($r{$k}) = @{ wait_for(sub { my @r = grep { $_->{url} } of($k);
                                 @r && \@r }, 'and recorded') };
}
wait_for(sub { !grep { entries($r{$_}) < 3 } @kinds }, 'all grow', 30);

# it stops, is killed, or says nothing more and keeps its connection

$m->stop_publisher(delete $p{stop});
$m->stop_publisher(delete $p{kill}, 'KILL');
wait_for(sub { $m->playlist($r{stop}) =~ /ENDLIST/
               && $m->playlist($r{kill}) =~ /ENDLIST/ },
         'stopped and killed: told within 5 s', 5);
wait_for(sub { !$m->on_air($s{mute}) }, 'silent: over', 20);
wait_for(sub { $m->playlist($r{mute}) =~ /ENDLIST/ }, 'and told', 5);
is($m->one("SELECT round(extract(epoch FROM ended_at - started_at))"
           . " BETWEEN 8 AND 12 FROM broadcast WHERE name = '$name{mute}'"),
   't', 'when drop_idle_publisher says so');
for my $k (qw(stop kill mute)) {
    wait_for(sub { !-e "$m->{hls}/$name{$k}" }, "$k: no live file of it");
    is($m->recording($r{$k}{id})->{gaps}, 0, 'nothing is lost');
}
for my $k (qw(worker crash gone)) {
    ok($m->runs($p{$k}), "$k is untouched");
    is($m->on_air($s{$k}), $name{$k}, 'and on the air');
}

# the worker that has it is killed: its encoder comes back, again and again

my $w = $m->worker_of($p{worker});
ok($w, 'a worker has it');
my $n = entries($r{worker});
kill 'KILL', $w;
my $at = time;
wait_for(sub { returns('worker') }, 'worker killed: it is back', 20);
cmp_ok(time - $at, '<', 12, 'soon after its silence');
wait_for(sub { entries($r{worker}) > $n + 2 }, 'in the same recording');
is(scalar(of('worker')), 1, 'the only one');
wait_for(sub { !-e "$m->{hls}/$name{worker}" }, 'nothing of the first is left');
for my $k (qw(crash gone)) {
    wait_for(sub { $p{$k} = $m->publish($s{$k}{key}) if !$m->runs($p{$k});
                   $m->segments($m->on_air($s{$k}) // 'none') },
             "$k is on the air", 20);
    $name{$k} = $m->on_air($s{$k});
}

# nginx is killed, and started again after some seconds

my %before = map { $_ => [ entries($r{$_}) ] } qw(worker crash gone);
$name{$_} = $m->on_air($s{$_}) for keys %before;
$m->crash;
$m->stop_publisher(delete $p{gone}, 'KILL');
sleep 2;
$m->start;
$m->up;
for my $k (qw(worker crash)) {
    wait_for(sub { returns($k) }, "crash: $k is back", 20);
    wait_for(sub { entries($r{$k}) > @{ $before{$k} } + 2 },
             'and goes on in its recording', 20);
    my @e = entries($r{$k});
    is_deeply([ map { $_->{uri} } @e[0 .. $#{ $before{$k} }] ],
              [ map { $_->{uri} } @{ $before{$k} } ], 'behind all it had');
    is(scalar(of($k)), 1, 'the only one');
}
wait_for(sub { $m->playlist($r{gone}) =~ /ENDLIST/ },
         'who does not come back is over', 20);
my @e = entries($r{gone});
cmp_ok(scalar(@e), '>=', scalar(@{ $before{gone} }), 'with all it had');

$m->stop_publisher($_) for values %p;
wait_for(sub { !grep { $_->{status} eq 'recording' } @{ $m->recordings } },
         'all are over', 20);
for my $k (@kinds) {
    my ($x, @more) = of($k);
    is(scalar(@more), 0, "$k: one recording");
    is($x->{gaps}, 0, 'without a gap');
    is(`ffmpeg -v error -nostdin -i @{[ $m->url($x->{url}) ]} -f null - 2>&1`,
       '', 'that plays to its end');
}
is($m->one('SELECT count(*) FROM broadcast WHERE ended_at IS NULL'), 0,
   'no broadcast is left open');
wait_for(sub { !glob "$m->{hls}/*" }, 'no live file is left', 60);
$m->finish;
