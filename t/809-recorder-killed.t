use strict;
use warnings;
use lib 't/lib';
use MNT;
use MNTRTMP;
use Test::More;

# U3, MON-09: the worker that records a broadcast is killed, again and again; as
# long as it is not the one that the broadcast passes, nothing is lost.

my $m = MNTRTMP->new(workers => 5, allow_log => qr/exited on signal 9/);
$m->start;
$m->up;

my $s = $m->camera('studio');
my ($p, $name);

sub owner {
    return $m->one('SELECT e.pid FROM streamer_monitor m'
        . " JOIN engine e ON e.id = m.owner WHERE m.streamer_id = $s->{id}");
}

sub entries { return playlist_entries($m->playlist($_[0])) }

# a publisher comes to any worker: until it is apart from who records it

$p = $m->publish($s->{key});
my ($r) = @{ wait_for(sub { my @r = grep { $_->{url} } @{ $m->recordings };
                            @r && \@r }, 'recorded') };

for my $round (1 .. 4) {
    my ($owner, $apart);

    for (1 .. 20) {
        $owner = wait_for(sub { owner() }, 'some worker records it') or last;
        $apart = $owner != ($m->worker_of($p) // 0)
                 && $owner != ($m->worker_of(0) // 0);
        last if $apart;
        $m->stop_publisher($p);
        wait_for(sub { !$m->on_air($s) }, 'not apart: its publisher ...');
        $p = $m->publish($s->{key});
        wait_for(sub { $m->on_air($s) }, '... comes again');
        my $n = entries($r);
        wait_for(sub { entries($r) > $n }, '... and is recorded');
    }

    ok($apart, 'the broadcast passes other workers') or last;

    my $n = entries($r);
    my $discs = grep { $_->{disc} } entries($r);
    kill 'KILL', $owner;
    wait_for(sub { my $o = owner(); $o && $o != $owner },
             "round $round: another worker goes on", 5);
    wait_for(sub { entries($r) >= $n + 3 }, 'with the same recording');
    is(scalar(grep { $_->{disc} } entries($r)), $discs,
       'without an interruption');
}

$m->stop_publisher($p);
wait_for(sub { $m->recording($r->{id})->{status} eq 'recorded' }, 'over');
$r = $m->recording($r->{id});
is($r->{gaps}, 0, 'nothing was lost');
is(scalar(@{ $m->recordings }), 1, 'one recording');

my ($dir) = $r->{url} =~ m{^/recordings/(.*)/index\.m3u8$};
my @e = entries($r);
is(scalar(grep { -s "$m->{storage}/$dir/$_->{uri}" } @e), scalar(@e),
   'all that is listed is there');
is(scalar(grep { /\.ts$/ } file_list("$m->{storage}/$dir")), scalar(@e),
   'and nothing else');

$m->finish;
