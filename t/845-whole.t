use strict;
use warnings;
use lib 't/lib';
use MNT;
use MNTRTMP;
use Test::More;
use Time::HiRes qw(time);

# All of it together: two broadcasts at once on three workers, one of which is
# killed and comes back.  Each is listed once, recorded whole, and plays from its
# first second while it is on the air and afterwards; no key stands anywhere.

my $m = MNTRTMP->new(workers => 3);
$m->start;
$m->up;

my @c = qw(one two);
my (%s, %p, %r, %first);

sub of {
    my ($k) = @_;
    return grep { $_->{streamer_id} == $s{$k}{id} } @{ $m->recordings };
}

sub entries { return playlist_entries($m->playlist($r{$_[0]})) }

sub live {
    my ($k) = @_;
    return grep { $_->{streamer_id} == $s{$k}{id} }
        @{ $m->json('/api/v1/live')->{items} };
}

# plays the first seconds, or all, of it

sub plays {
    my ($k, @how) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is(`ffmpeg -v error -nostdin -live_start_index 0 -i @{[ $m->url($r{$k}{url})
        ]} @how -f null - 2>&1`, '', "$k plays from its first second");
}

for my $k (@c) {
    $s{$k} = $m->camera($k);
    $p{$k} = $m->publish("$s{$k}{key}?pw=secret-of-$k");
}
for my $k (@c) {
    $first{$k} = wait_for(sub { $m->on_air($s{$k}) }, "$k is on the air");
    ($r{$k}) = @{ wait_for(sub { my @r = grep { $_->{segments} } of($k);
                                 @r && \@r }, 'and recorded') };
}
wait_for(sub { !grep { entries($_) < 3 } @c }, 'both grow');
for my $k (@c) {
    my @l = live($k);
    is(scalar(@l), 1, "$k is listed once");
    is($l[0]{url}, $r{$k}{url}, 'with the URL of its recording');
    plays($k, '-t', 2);
}

# one is killed and comes back, the other one does not notice

my $n = entries('one');
my $other = entries('two');
$m->stop_publisher($p{one}, 'KILL');
wait_for(sub { !$m->on_air($s{one}) }, 'one is killed');
$p{one} = $m->publish("$s{one}{key}?pw=secret-of-one");
my $second = wait_for(sub { $m->on_air($s{one}) }, 'and comes back');
isnt($second, $first{one}, 'under another name');
wait_for(sub { entries('one') > $n + 3 && entries('two') > $other + 3 },
         'both go on');

for my $k (@c) {
    my @l = live($k);
    is(scalar(@l), 1, "$k is listed once");
    is($l[0]{url}, $r{$k}{url}, 'with the same URL');
    is(scalar(of($k)), 1, 'it is one recording');
    plays($k, '-t', 2);
    unlike($m->playlist($r{$k}), qr/ENDLIST/, 'that goes on');
}

$m->no_secrets('secret-of-one', 'secret-of-two');

$m->stop_publisher($_) for values %p;
wait_for(sub { !grep { $_->{status} eq 'recording' } @{ $m->recordings } },
         'both are over');
for my $k (@c) {
    my ($x, @more) = of($k);
    is(scalar(@more), 0, "$k is one recording");
    is($x->{gaps}, 0, 'without a gap');
    is(scalar(live($k)), 0, 'and not on the air');
    my @e = entries($k);
    my $sum = 0;
    $sum += $_->{dur} for @e;
    is(scalar(grep { $_->{disc} } @e), $k eq 'one' ? 1 : 0,
       'interrupted where it was');
    my $on = $m->one('SELECT sum(extract(epoch FROM ended_at - started_at))'
                     . " FROM broadcast WHERE streamer_id = $s{$k}{id}");
    cmp_ok(abs($on - $sum), '<', $k eq 'one' ? 3 : 1.5,
           'as long as it was on the air') or diag("$on s, recorded $sum s");
    plays($k);
}
wait_for(sub { !glob "$m->{hls}/*" }, 'no live file is left');
$m->no_secrets('secret-of-one', 'secret-of-two');
$m->finish;
