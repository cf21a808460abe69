use strict;
use warnings;
use lib 't/lib';
use MNT;
use MNTRTMP;
use Test::More;
use Time::HiRes qw(time);

# LIV-01, U13: ffmpeg and mpv play a broadcast at the URL of its recording while
# it is on the air, from its live edge and from its first second, across the
# place where its publisher came back, and after its end.  (hls.js in Chromium:
# t/browser/broadcast.test.mjs.)

my $m = MNTRTMP->new(workers => 3);
$m->start;
$m->up;

my $s = $m->camera('studio');
my $p = $m->publish($s->{key});
my ($r) = @{ wait_for(sub { my @r = grep { $_->{url} } @{ $m->recordings };
                            @r && \@r }, 'recorded') };
my $url = $m->url($r->{url});

sub entries { return playlist_entries($m->playlist($r)) }

sub sum {
    my $sum = 0;
    $sum += $_->{dur} for @_;
    return $sum;
}

# runs it, and gives how long it took, its exit code and what it said

sub plays {
    my (@cmd) = @_;
    my $from = time;
    my $pid = open my $fh, '-|';
    die $! unless defined $pid;
    if (!$pid) {
        open STDERR, '>&', \*STDOUT;
        exec 'timeout', 25, @cmd or POSIX::_exit(127);
    }
    local $/;
    my $said = <$fh>;
    close $fh;
    return (time - $from, $? >> 8, $said);
}

my @ffmpeg = qw(ffmpeg -v error -nostdin);
my @mpv = qw(mpv --no-config --vo=null --ao=null --no-terminal);

wait_for(sub { entries() >= 4 }, 'four segments');

# on the air, from the first second

my ($took, $rc, $said) = plays(@ffmpeg, '-live_start_index', 0, '-i', $url,
                               '-t', 3, '-f', 'null', '-');
is("$rc $said", '0 ', 'ffmpeg plays it from its first second');
($took, $rc, $said) = plays(qw(ffprobe -v error -live_start_index 0
    -read_intervals), '%+#40', qw(-show_entries packet=pts_time -of csv=p=0),
    $url);
my ($first) = $said =~ /^([\d.]+)/;
cmp_ok($first, '<', 2.5, 'which is the first second');

($took, $rc, $said) = plays(@mpv, '--msg-level=all=warn',
    '--demuxer-lavf-o=live_start_index=0', '--length=3', $url);
is("$rc $said", '0 ', 'so does mpv');
cmp_ok($took, '>', 2, 'as it was sent');

# at the live edge it waits for what is to come

($took, $rc, $said) = plays(@ffmpeg, '-i', $url, '-t', 4, '-f', 'null', '-');
is("$rc $said", '0 ', 'ffmpeg plays it from its live edge');
cmp_ok($took, '>', 0.5, 'where it waits for what is to come');
($took, $rc, $said) = plays(@mpv, '--msg-level=all=warn', '--length=3', $url);
is("$rc $said", '0 ', 'so does mpv');

# its publisher is killed while it plays, and comes back

my $player = $m->run_publisher('edge', @ffmpeg, '-i', $url, '-f', 'null', '-');
my $n = entries();
wait_for(sub { entries() >= $n + 2 }, 'a player is at the edge');
my $name = $m->on_air($s);
$m->stop_publisher($p, 'KILL');
wait_for(sub { !$m->on_air($s) }, 'its encoder is killed');
$p = $m->publish($s->{key});
wait_for(sub { grep { $_->{disc} } entries() }, 'and comes back');
$n = entries();
wait_for(sub { entries() >= $n + 3 }, 'it goes on');
ok($m->runs($player), 'the player is still there');

# the end

$m->stop_publisher($p);
$m->ends($player, 'it ends with the broadcast');
wait_for(sub { $m->recording($r->{id})->{status} eq 'recorded' }, 'over');
is($m->said('edge'), '', 'it had no trouble');

my $sum = sum(entries());
($took, $rc, $said) = plays(@ffmpeg, '-i', $url, '-progress', '-', '-f',
                            'null', '-');
is($rc, 0, 'ffmpeg plays all of it afterwards');
my ($us) = reverse $said =~ /out_time_us=(\d+)/g;
cmp_ok(abs($us / 1e6 - $sum), '<', 1.5, 'from its first second to its last')
    or diag("$us us of $sum s");
unlike($said, qr/^(?!\w+=)/m, 'without an error');
($took, $rc, $said) = plays(@mpv, '--msg-level=all=warn', '--untimed',
                            '--no-audio', $url);
is("$rc $said", '0 ', 'so does mpv');
cmp_ok($took, '<', 15, 'which ends by itself');

$m->finish;
