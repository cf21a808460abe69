use strict;
use warnings;
use lib 't/lib';
use MNT;
use MNTRTMP;
use Test::More;

# ING-02, S20: who sends garbage by RTMP, before it is admitted or with a key,
# ends no worker, hurts nobody else and leaves nothing behind.  nginx-rtmp reads
# nested objects by recursion: without a larger stack 200 KB from anybody end a
# worker.

my $m = MNTRTMP->new(workers => 2, update => '1s', silence => '4s',
                     rtmp_server => 'timeout 3s;',
                     allow_log => qr/too big RTMP chunk size/);
$m->start;
$m->up;

my $s = $m->camera('innocent');
my $p = $m->publish($s->{key});
my ($r) = @{ wait_for(sub { my @r = grep { $_->{url} } @{ $m->recordings };
                            @r && \@r }, 'somebody is recorded') };

my @kinds = split ' ', `python3 $MNT::TOP/t/lib/rtmp.py bad --list`;
cmp_ok(scalar(@kinds), '>', 30, 'many kinds of garbage');
my (@bad, @cameras);
for my $kind (@kinds) {
    my $key = 'no-key';
    if ($kind =~ /^admitted/) {
        push @cameras, $m->camera($kind);
        $key = $cameras[-1]{key};
    }
    push @bad, $kind, $m->rtmp("ingest/$key");
}

my @workers = $m->workers_of;
my $q = $m->speaker('bad', 'bad', '--wait', 5, @bad);
wait_for(sub { $m->one('SELECT count(*) FROM broadcast') == @cameras + 1 },
         'those with a key are admitted');
$m->ends($q, 'all are done');
my %said = $m->said('bad') =~ /^(\S+) (\w+)$/mg;
is(join(' ', grep { !$said{$_} } @kinds), '', 'each was tried');
is(join(' ', grep { ($said{$_} // '') ne 'closed' }
             qw(silence half raw http noise large continued admitted-noise)),
   '', 'and closed, where nothing can come of it');
is(join(' ', $m->workers_of), join(' ', @workers), 'no worker ended');

for my $c (@cameras) {
    wait_for(sub { !$m->on_air($c) }, 'off the air again');
}
wait_for(sub { !grep { $_->{status} eq 'recording'
                       && $_->{streamer_id} != $s->{id} } @{ $m->recordings } },
         'and no recording of it is left open', 30);
is(join(' ', glob "$m->{hls}/*"), "$m->{hls}/" . $m->on_air($s),
   'nor a live file');

my $n = playlist_entries($m->playlist($r));
wait_for(sub { playlist_entries($m->playlist($r)) > $n + 1 },
         'the other one goes on');
ok($m->runs($p), 'and was not closed');
$m->stop_publisher($p);
wait_for(sub { $m->recording($r->{id})->{status} eq 'recorded' }, 'to its end');
is($m->recording($r->{id})->{gaps}, 0, 'nothing was lost');
is(scalar(grep { $_->{disc} } playlist_entries($m->playlist($r))), 0,
   'nor interrupted');
$m->no_secrets;
$m->finish;
