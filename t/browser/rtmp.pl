# A system with nginx-rtmp for t/browser/broadcast.test.mjs.  Prints its address
# and key; "publish CLIP", "kill" and "stop" of standard input are done; ends
# with it.

use strict;
use warnings;
use lib 't/lib';
use File::Temp qw(tempdir);
use MNT;
use MNTRTMP;
use Test::More;

Test::More->builder->output(\my $tap);
$| = 1;

my $dir = tempdir('mntpage-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $m = MNTRTMP->new(workers => 2, fragment => '750ms',
    mntreamer => 'resume_window 60s;', server =>
    "location /vendor/ { alias $ENV{MNT_NODE}/node_modules/hls.js/dist/; }");
$m->start;
$m->up;

system('ffmpeg', '-v', 'error', '-nostdin', '-f', 'lavfi', '-i',
       'testsrc=size=320x180:rate=15', '-f', 'lavfi', '-i', 'sine', '-t', 4,
       '-c:v', 'libx264', '-preset', 'ultrafast', '-bf', 0, '-g', 15,
       '-pix_fmt', 'yuv420p', '-c:a', 'aac', "$dir/wide.flv") == 0 or die;

my %clip = (small => MNTRTMP::clip(), wide => "$dir/wide.flv");
my $s = $m->camera('studio');
my $p;

print "http://127.0.0.1:$m->{port}/", "\n";

while (my $line = <STDIN>) {
    my ($what, $clip) = split ' ', $line;

    if ($what eq 'publish') {
        $p = $m->speaker("p$.", 'play', $clip{$clip},
                         $m->rtmp("ingest/$s->{key}"));
    } else {
        $m->stop_publisher($p, $what eq 'kill' ? 'KILL' : 'TERM');
    }
    print 'done', "\n";
}

$m->cleanup;
done_testing();
