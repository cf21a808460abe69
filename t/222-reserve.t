use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;
use Time::HiRes qw(sleep);

# "reserve": recordings pause before the file system is full, go on by
# themselves, and leave alone what is to stay free.  A read-only file system is
# served, and recorded on when it can be written again.

plan skip_all => 'only root can mount a small file system' if $>;

my $m = MNT->new(workers => 2, mntreamer => 'reserve 20m;');
my ($uid, $gid) = (getpwnam 'nobody')[2, 3];
my $options = "size=64m,uid=$uid,gid=$gid";
my $parent = $$;
my $mounted = MNT::quiet('mount', '-t', 'tmpfs', '-o', $options, 'tmpfs',
                         $m->{storage});
if (!$mounted) {
    $m->cleanup;
    plan skip_all => 'mounting is not permitted here';
}
END { MNT::quiet('umount', '-l', $m->{storage}) if $mounted && $parent == $$ }

my $state = sub { $m->call(GET => '/health')->{json}{disk}{state} };

$m->channel('kappa', live => 1, dur => 0.2, size => 20_000, window => 10,
            target => 1);
$m->start;
$m->up;
$m->watch('kappa');
my $r = wait_for(sub {
    my ($r) = @{ $m->recordings };
    $r && $r->{segments} >= 4 && $r
}, 'it records');
my $disk = $m->call(GET => '/health')->{json}{disk};
is($disk->{reserve}, 20 << 20, 'health tells the reserve');
is($disk->{state}, 'ok', 'and that all is well');

MNT::quiet('fallocate', '-l', '48m', "$m->{storage}/filler");
wait_for(sub { $m->metric('mntreamer_disk_full') == 2 }, 'both workers know');
is($state->(), 'disk_full', 'health says so');
wait_for(sub { $m->metric('mntreamer_lost_segments_total{cause="disk"}') >= 3 },
         'segments are lost, and counted', 20);
my $used = `du -sk --exclude=filler $m->{storage}`;
sleep 1;
is(`du -sk --exclude=filler $m->{storage}`, $used, 'nothing more is written');
is($m->recording($r->{id})->{status}, 'recording', 'it is not given up');
my $n = playlist_entries($m->playlist($r));

unlink "$m->{storage}/filler";
wait_for(sub { playlist_entries($m->playlist($r)) >= $n + 6 },
         'the recording goes on', 15);
wait_for(sub { $m->metric('mntreamer_disk_full') == 0 }, 'and says so');
my ($g) = @{ $m->recording($r->{id})->{gap_list} };
is($g->{reason}, 'disk', 'the gap has its cause');
my @lines = $m->log =~ /the reserve is 20971520: recordings pause/g;
cmp_ok(scalar @lines, '<=', 2, 'a line a worker');

$m->channel('kappa', live => 0, stall => 1, endlist => 1);
wait_for(sub { $m->recording($r->{id})->{status} eq 'recorded' }, 'its end');
ok($m->stop, 'nginx ends by itself');
ok(MNT::quiet('mount', '-o', 'remount,ro', $m->{storage}), 'read-only');
$m->start;
wait_for(sub { $state->() eq 'storage_error' }, 'health says so');
is($m->get($r->{url})->{status}, 200, 'a read-only storage is served');
ok(MNT::quiet('mount', '-o', 'remount,rw', $m->{storage}), 'again writable');
wait_for(sub { $state->() eq 'ok' }, 'which is noticed', 15);

ok($m->stop, 'nginx ends by itself');
$mounted = !MNT::quiet('umount', '-l', $m->{storage});
$m->finish;
