use strict;
use warnings;
use lib 't/lib';
use File::Temp qw(tempdir);
use MNT;
use MNTRTMP;
use Test::More;

# ING-01, REC-04: whatever encoders send is recorded whole and plays from its
# first second without an error: without sound, without a picture, with B
# frames, 60 and any number of frames a second, another resolution in the
# middle, key frames that do not come, timestamps that jump, go back or wrap.

my $dir = tempdir('mntstreams-XXXXXX', TMPDIR => 1, CLEANUP => 1);

sub encode {
    my ($name, @args) = @_;
    system('ffmpeg', '-v', 'error', '-nostdin', @args, '-threads', 1,
           "$dir/$name.flv") == 0 or BAIL_OUT("no clip $name");
    return "$dir/$name.flv";
}

sub picture { return ('-f', 'lavfi', '-i', "testsrc=size=$_[0]:rate=$_[1]") }

my @sine = ('-f', 'lavfi', '-i', 'sine');
my @x264 = qw(-c:v libx264 -preset ultrafast -pix_fmt yuv420p -sc_threshold 0);
my @aac = qw(-c:a aac);
my $clip = MNTRTMP::clip();

my $large = encode(large => picture('320x180', 15), @sine, '-t', 3, @x264,
                   '-g', 15, @aac);
my $b = encode(b => picture('160x120', 30), @sine, '-t', 3, @x264, '-bf', 3,
               '-x264-params', 'b-adapt=0', '-g', 30, @aac);
my $fast = encode(fast => picture('160x120', 60), @sine, '-t', 3, @x264,
                  '-bf', 0, '-g', 60, @aac);
my $any = encode(any => picture('160x120', 30), @sine, '-t', 3, '-vf',
                 'select=not(mod(n\,2))+lt(mod(n\,30)\,10)', '-vsync', 'vfr',
                 @x264, '-bf', 0, '-force_key_frames', 'expr:gte(t,n_forced)',
                 @aac);
my $long = encode(long => picture('160x120', 15), @sine, '-t', 24, @x264,
                  '-bf', 0, '-g', 180, '-keyint_min', 180, @aac);
my $six = encode(six => '-f', 'lavfi', '-i',
                 'aevalsrc=0.1*sin(440*t)|0|0|0|0|0:c=5.1', '-t', 3, @aac);

# what is sent: seconds of it, and arguments

my %sent = (
    'plain'          => [6, $clip],
    'no-sound'       => [6, '--only', 'video', $clip],
    'no-picture'     => [6, '--only', 'audio', $clip],
    'resolution'     => [6, '--then', $large, $clip],
    'b-frames'       => [6, $b],
    'sixty'          => [6, $fast],
    'any-rate'       => [6, $any],
    'long-gop'       => [26, '--burst', 11, $long],
    'five-one'       => [6, $six],
    'begins-late'    => [6, '--base', 3600000, $clip],
    'jump'           => [6, '--jump', '3:600000', $clip],
    'back'           => [6, '--base', 500000, '--jump', '3:-400000', $clip],
    'back-little'    => [6, '--base', 500000, '--jump', '3:-700', $clip],
    'wrap'           => [6, '--base', 4294967296 - 3000, $clip],
    'wrap-ext'       => [6, '--base', 16777215 - 3000, $clip],
    'title'          => [6, '--meta', '{"title": "' . '가' x 100 . '"}', $clip],
    'hole'           => [9, '--skip', '3:6', $clip],
);

# what becomes of it, where it is not as long as what was sent

my %lasts = ('back-little' => 5.3);

my $m = MNTRTMP->new(workers => 3);
$m->start;
$m->up;

my (%camera, %pid);

for my $kind (sort keys %sent) {
    my ($seconds, @args) = @{ $sent{$kind} };
    $camera{$kind} = $m->camera($kind);
    $pid{$kind} = $m->speaker($kind, 'play', '--seconds', $seconds, @args,
                              $m->rtmp("ingest/$camera{$kind}{key}"));
}

# another client than ffmpeg, of another making

$sent{gstreamer} = [4];
my $g = $m->camera('gstreamer');
$pid{gstreamer} = $m->run_publisher('gstreamer', qw(gst-launch-1.0 -q filesrc),
    "location=$clip", qw(! flvdemux name=d flvmux name=m streamable=true !
    rtmp2sink sync=true), 'location=' . $m->rtmp("ingest/$g->{key}"),
    qw(d.video ! queue ! h264parse ! m.video d.audio ! queue ! aacparse !
    m.audio));

$m->ends($pid{$_}, "$_ was sent", 40) for sort keys %sent;

my %of;
wait_for(sub {
    %of = map { $_->{channel_id} => $_ } @{ $m->recordings };
    return keys %of == keys %sent
           && !grep { $_->{status} ne 'recorded' } values %of;
}, 'each is a recording, and one only', 30);

# nginx-rtmp relays nothing before its relay stands, which may cost up to the
# second key frame

for my $kind (sort keys %sent) {
    my $r = $of{$kind} // {};
    my $lasts = $lasts{$kind} // $sent{$kind}[0];
    my $late = $kind eq 'long-gop' ? 12.3 : 1.3;
    my @e = playlist_entries($m->playlist($r));
    my $sum = 0;
    $sum += $_->{dur} for @e;
    is($r->{gaps}, 0, "$kind: no gap");
    cmp_ok($sum, '>', $lasts - $late, 'all of it')
        or diag(join ' ', map { $_->{dur} } @e);
    cmp_ok($sum, '<', $lasts + 0.4, 'and no more');
    my $jumps = $kind =~ /^(?:jump|back|wrap)$/ ? 1 : 0;
    is(scalar(grep { $_->{disc} } @e), $jumps,
       'discontinuities where its clock jumps');
    is(`ffmpeg -v error -nostdin -i @{[ $m->url($r->{url}) ]} -f null - 2>&1`,
       '', 'it plays without an error');
}

sub facts {
    my ($kind, $what) = @_;
    my $url = $m->url($of{$kind}{url});
    return join ' ', split ' ',
        `ffprobe -v error -show_entries $what -of csv=p=0 '$url'`;
}

unlike(facts('no-sound', 'packet=codec_type'), qr/audio/, 'no sound');
unlike(facts('no-picture', 'packet=codec_type'), qr/video/, 'no picture');
cmp_ok(scalar(grep { $_->{dur} > 11.5 } playlist_entries(
    $m->playlist($of{'long-gop'}))), '>=', 1, 'a segment is as long as its GOP');
like(facts('five-one', 'stream=channels'), qr/^6\b/, 'six channels');
like(facts('b-frames', 'stream=has_b_frames'), qr/[12]/, 'B frames');
like(facts('resolution', 'frame=width,height'), qr/160,120.* 320,180/,
     'both resolutions');
is(scalar(() = facts('sixty', 'frame=pict_type') =~ /[IPB]/g) > 280, 1,
   'sixty frames a second');

$m->no_secrets;
$m->finish;
