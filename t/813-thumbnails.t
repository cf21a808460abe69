use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;
use Time::HiRes qw(time sleep);

# LIV-05: the image of a live is at most as old as it may be, of the right size,
# and gone after the broadcast.  By ffmpeg, of MPEG-TS and of fragmented MP4.

my $port = MNT::free_port();
my $m = MNT->new(workers => 2, mntreamer =>
    'poll_rate 200r/s; resume_window 0; platform hls { thumbnail 4s width=320; }');
my $live = "$m->{dir}/live";
mkdir $live;
$m->{http} = "server { listen 127.0.0.1:$port; root $live; }";

my %pid;
my %kind = (ts => ['-hls_segment_filename', "$live/ts-%d.ts"],
            fmp4 => ['-hls_segment_type', 'fmp4', '-hls_fmp4_init_filename',
                     'fmp4-init.mp4', '-hls_segment_filename', "$live/fmp4-%d.m4s"]);
END { my $rc = $?; kill 'KILL', values %pid; $? = $rc }

# what is 720x576 with pixels that are not square is 16:9

sub encode {
    my ($kind) = @_;
    my $pid = fork // die $!;
    if (!$pid) {
        open STDERR, '>', "$m->{dir}/logs/$kind.log";
        open STDIN, '<', '/dev/null';
        exec 'ffmpeg', '-v', 'error', '-re', '-f', 'lavfi', '-i',
            'testsrc2=size=720x576:rate=10,setsar=64/45', '-c:v', 'libx264',
            '-preset', 'ultrafast', '-g', 10, '-keyint_min', 10,
            '-sc_threshold', 0, '-pix_fmt', 'yuv420p', '-threads', 1,
            '-f', 'hls', '-hls_time', 1, '-hls_list_size', 6,
            @{ $kind{$kind} }, "$live/$kind.m3u8" or POSIX::_exit(127);
    }
    $pid{$kind} = $pid;
}

sub recording {
    my ($kind) = @_;
    return (grep { $_->{channel_id} =~ /\b$kind\.m3u8/ }
            @{ $m->recordings })[0];
}

# (width, height) of a JPEG

sub size {
    my ($jpeg) = @_;
    return $jpeg =~ /\xff[\xc0-\xc2]..?.(..)(..)/s
        ? (unpack('n', $2), unpack('n', $1)) : ();
}

sub programs {
    return grep { (MNT::slurp("/proc/$_/cmdline") // '') =~ /^ffmpeg\0.*mjpeg/s
                  && (readlink("/proc/$_/cwd") // '') =~ /^\Q$m->{storage}/ }
        map { m{/(\d+)$} } glob '/proc/[0-9]*';
}

encode($_) for sort keys %kind;
$m->{mntreamer} .= "streamer hls http://127.0.0.1:$port/$_.m3u8;"
    for sort keys %kind;
$m->start;
$m->up;

my %image;
for my $kind (sort keys %kind) {
    my $r = wait_for(sub { my $r = recording($kind); $r->{thumbnail} && $r },
                     "$kind: an image") or next;
    (my $dir = $r->{url}) =~ s{[^/]+$}{};
    is($r->{thumbnail}, "${dir}thumbnail.jpg", 'beside the playlist');
    $image{$kind} = $r->{thumbnail};

    my $x = $m->get($r->{thumbnail});
    is($x->{status}, 200, 'is served');
    is($x->{headers}{'content-type'}, 'image/jpeg', 'as an image');
    is($x->{headers}{'cache-control'}, 'no-cache', 'to be asked for again');
    is(join('x', size($x->{content})), '320x180', 'of the right size and shape');

    my ($item) = grep { ($_->{recording_id} // 0) == $r->{id} }
        @{ $m->json('/api/v1/live')->{items} };
    is($item->{thumbnail}, $r->{thumbnail}, 'it is told of what is live');
}

# looked at again and again: never older than it may be

my (%oldest, %seen);
my $end = time + 12;
while (time < $end) {
    for (sort keys %image) {
        my $file = "$m->{storage}/" . substr $image{$_}, length '/recordings/';
        my $t = (stat $file)[9] or do { $oldest{$_} = 'gone'; next };
        my $age = time - $t;
        $oldest{$_} = $age if $age > ($oldest{$_} // 0);
        $seen{$_}{$t} = 1;
    }
    sleep 0.1;
}
for (sort keys %image) {
    cmp_ok($oldest{$_}, '<', 5, "$_: at most 4 s old")     # stat() has seconds
        or diag $oldest{$_};
    cmp_ok(scalar keys %{ $seen{$_} }, '<', 9, 'and not of each segment');
}
cmp_ok($m->metric('mntreamer_thumbnails_total{result="made"}'), '>', 4,
       'they are counted');
is($m->metric('mntreamer_thumbnails_total{result="failed"}'), 0, 'none failed');

# an encoder that hangs: what nothing replaces goes, and comes back

kill 'STOP', $pid{ts};
wait_for(sub { $m->get($image{ts})->{status} == 404 }, 'too old: gone', 25);
is($m->get($image{fmp4})->{status}, 200, 'the other one is there');
wait_for(sub { !recording('ts')->{thumbnail} }, 'and told of no more');
is(recording('ts')->{status}, 'recording', 'while it is in progress');
kill 'CONT', $pid{ts};
wait_for(sub { $m->get($image{ts})->{status} == 200 }, 'it comes back');

# a reload: the next worker goes on with it

my %old = map { $_ => 1 } $m->workers_of;
$m->reload;
wait_for(sub { !grep { $old{$_} } $m->workers_of }, 'other workers');
my $before = (stat "$m->{storage}/" . substr $image{fmp4}, 12)[9];
ok($before, 'the image stayed');
wait_for(sub { ((stat "$m->{storage}/" . substr $image{fmp4}, 12)[9] // 0)
               > $before }, 'and is renewed');

# the end

for (sort keys %pid) {
    kill 'INT', $pid{$_};
    waitpid delete $pid{$_}, 0;
}
for my $kind (sort keys %image) {
    wait_for(sub { recording($kind)->{status} eq 'recorded' }, "$kind is over", 30);
    is($m->get($image{$kind})->{status}, 404, 'and its image gone');
    is(recording($kind)->{thumbnail}, undef, 'nobody is told of one');
}
is(join(' ', grep { /thumbnail/ } file_list($m->{storage})), '',
   'nothing is left of them');
is(join(' ', programs()), '', 'and no program');
is(scalar(() = $m->log =~ /no thumbnail/g), 0, 'nothing failed');

$m->finish;
