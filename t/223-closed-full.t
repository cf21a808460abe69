use strict;
use warnings;
use lib 't/lib';
use MNT;
use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep time);

# The disk is full when a recording ends and somebody has taken its playlist away:
# it must be written whole, which waits until there is room.

plan skip_all => 'only root can mount a small file system' if $>;

my $m = MNT->new(workers => 1, mntreamer => 'reserve 0;');
my ($uid, $gid) = (getpwnam 'nobody')[2, 3];
my $options = "size=4m,uid=$uid,gid=$gid";
my $parent = $$;
my $mounted = MNT::quiet('mount', '-t', 'tmpfs', '-o', $options, 'tmpfs',
                         $m->{storage});
if (!$mounted) {
    $m->cleanup;
    plan skip_all => 'mounting is not permitted here';
}
END { MNT::quiet('umount', '-l', $m->{storage}) if $mounted && $parent == $$ }

$m->channel('kappa', live => 1, dur => 0.5, manual => JSON::PP::true);
$m->advance('kappa', 4);
$m->start;
$m->up;
$m->watch('kappa');
my $r = wait_for(sub {
    my ($r) = @{ $m->recordings };
    $r && $r->{segments} == 4 && $r
}, 'it records');
my $file = "$m->{storage}/" . $m->one('SELECT path FROM media_record')
    . '/index.m3u8';
my $text = slurp($file);

open my $fh, '>', "$m->{storage}/filler" or die $!;
$fh->autoflush;
1 while syswrite $fh, 'x' x 4096;
unlink $file;
open my $one, '>', "$m->{storage}/one" or die $!;
ok(!syswrite($one, 'x' x 4096), 'the disk is full');
syswrite $fh, 'x' x 4096;

$m->channel('kappa', live => 0, endlist => JSON::PP::true);
wait_for(sub { $m->log =~ /got no end, which is tried again: / },
         'there is no room for the playlist', 30);
sleep 3;
is($m->recording($r->{id})->{status}, 'recording', 'it is not over');
is(scalar(grep { /\.part$/ } file_list($m->{storage})), 0, 'no part is left');

close $fh;
unlink "$m->{storage}/filler", "$m->{storage}/one";
wait_for(sub { $m->recording($r->{id})->{status} eq 'recorded' }, 'then it is');
is(slurp($file), "$text#EXT-X-ENDLIST\n", 'and the playlist whole');

ok($m->stop, 'nginx ends by itself');
$mounted = !MNT::quiet('umount', '-l', $m->{storage});
$m->finish;
