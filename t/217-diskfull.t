use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;
use Time::HiRes qw(sleep time);

# A full disk: no broken file is ever listed, what cannot be stored becomes a gap
# with cause "disk", and the recording goes on when there is room again.

plan skip_all => 'only root can mount a small file system' if $>;

my $m = MNT->new(workers => 2);
my ($uid, $gid) = (getpwnam 'nobody')[2, 3];
my $options = "size=8m,uid=$uid,gid=$gid";
my $parent = $$;
my $mounted = MNT::quiet('mount', '-t', 'tmpfs', '-o', $options, 'tmpfs',
                         $m->{storage});
if (!$mounted) {
    $m->cleanup;
    plan skip_all => 'mounting is not permitted here';
}
END { MNT::quiet('umount', '-l', $m->{storage}) if $mounted && $parent == $$ }

$m->channel('iota', live => 1, dur => 0.5, size => 400_000, window => 8);
$m->start;
$m->up;
$m->watch('iota');
my $r = wait_for(sub {
    my ($r) = @{ $m->recordings };
    $r && $r->{segments} >= 4 && $r
}, 'it records');

wait_for(sub { $m->metric('mntreamer_disk_free_bytes') < 600_000 },
         'the disk is full', 30);
wait_for(sub { $m->metric('mntreamer_lost_segments_total{cause="disk"}') >= 3 },
         'segments are lost, and counted', 30);
is($m->recording($r->{id})->{status}, 'recording', 'it is not given up');
is($m->get('/health')->{json}, undef, 'health answers')
    if $m->get('/health')->{status} != 200;
cmp_ok($m->call(GET => '/health')->{json}{disk}{free}, '<', 1_000_000,
       'health tells how little is free');

my $whole = sub {
    my ($when) = @_;
    my ($dir) = $r->{url} =~ m{^(.*/)};
    my $text = $m->playlist($r);
    my @e = playlist_entries($text);
    like($text, qr/\n\z/, "$when: the playlist is whole");
    is(scalar(grep {
        my $x = $m->get($dir . $_->{uri});
        !$x->{success} || length($x->{content}) < 399_000
    } @e), 0, "$when: every listed file is");
    return @e;
};
my $n = $whole->('full');
cmp_ok($n, '>=', 10, 'most of the disk was used');

my $lines = () = $m->log =~ /No space left|disk is full|is full/g;
cmp_ok($lines, '<', 10, 'the log is not flooded') or diag $lines;

ok(MNT::quiet('mount', '-o', "remount,$options,size=40m", $m->{storage}),
   'there is room again');
wait_for(sub { playlist_entries($m->playlist($r)) >= $n + 6 },
         'the recording goes on', 30);
my @e = $whole->('after');
cmp_ok(scalar(grep { $_->{disc} || $_->{gap} } @e), '>=', 1,
       'the hole is marked');
my $full = $m->recording($r->{id});
is(scalar @{ $m->recordings }, 1, 'it is the same recording');
my ($g) = grep { $_->{reason} eq 'disk' } @{ $full->{gap_list} };
ok($g, 'with a gap row of cause "disk"') or diag explain $full->{gap_list};
cmp_ok($g->{segments} // 0, '>=', 1, 'and its size');

ok($m->stop, 'nginx ends by itself');
my $parts = grep { /\.part$/ } file_list($m->{storage});
cmp_ok($parts, '<=', 3, 'no parts pile up');
$mounted = !MNT::quiet('umount', '-l', $m->{storage});
$m->finish;
