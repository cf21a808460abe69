use strict;
use warnings;
use utf8;
use lib 't/lib';
use MNT;
use Encode qw(encode_utf8);
use File::Temp qw(tempdir);
use Test::More;

# LIB-06: a recording that is over becomes one MP4, all of it or a span, whatever
# the clocks of its source did and whatever is missing of it: pictures and sound
# stay together, to be seen by ffprobe and by flashes that beep.  One result is
# kept; it is downloaded under its title, which is Korean.

my $dir = tempdir('mntexport-XXXXXX', TMPDIR => 1, CLEANUP => 1);

# runs of five seconds of one clock each, which is given: a flash with a beep at
# the begin of each second

sub media {
    my ($name, $kind, @clocks) = @_;
    my $n = 0;
    my $out = "$dir/$name";
    mkdir $out;
    for my $clock (@clocks) {
        MNT::quiet('ffmpeg', '-v', 'error', '-nostdin', '-f', 'lavfi', '-i',
            "color=black:size=160x120:rate=25,drawbox=color=white:t=fill:"
            . "enable='lt(mod(t,1),0.2)'", '-f', 'lavfi', '-i',
            "aevalsrc='if(lt(mod(t,1),0.2),sin(5500*t),0)'", '-t', 5, '-c:v', 'libx264',
            '-preset', 'ultrafast', '-bf', 2, '-g', 25, '-keyint_min', 25, '-sc_threshold',
            0, '-pix_fmt', 'yuv420p', '-c:a', 'aac', '-threads', 1, '-output_ts_offset',
            $clock, '-f', 'hls', '-hls_time', 1, '-hls_list_size', 0,
            ($kind eq 'fmp4' ? ('-hls_segment_type', 'fmp4', '-hls_fmp4_init_filename',
                                'init.mp4') : ()),
            '-start_number', $n, '-hls_segment_filename', "$out/%d.ts", "$out/list.m3u8")
            or BAIL_OUT('ffmpeg makes no media');
        $n += 5;
    }
    return $out;
}

my $m = MNT->new(workers => 2, mntreamer => 'resume_window 1s; jobs 2;');
my %channel = (
    plain => { bodies => media('plain', 'ts', 10) },
    clocks => { bodies => media('clocks', 'ts', 1000, 1008, 95440), disc_every => 5 },
    holes => { bodies => media('holes', 'ts', 50, 55, 60), gap => [8] },
    untold => { bodies => media('untold', 'ts', 20, 300, 40) },
    leaps => { bodies => media('leaps', 'fmp4', 7, 900, 2), kind => 'fmp4' },
    frames => { bodies => media('frames', 'fmp4', 7), kind => 'fmp4' },
);
my %n = (plain => 5, clocks => 15, holes => 15, untold => 15, leaps => 15, frames => 5);
$m->channel($_, live => 1, manual => 1, dur => 1, target => 1, window => 30,
            title => "밤샘 방송: 「$_」 100%", %{ $channel{$_} }) for keys %channel;
$m->fault(match => '/hls/holes/seg/\w+-0-4\.', status => 404, times => -1);
$m->start;
$m->up;
$m->watch($_) for sort keys %channel;
$m->advance($_, $n{$_}) for keys %channel;
wait_for(sub { 6 == grep { $_->{segments} >= $n{$_->{channel_name}} - 2 }
               @{ $m->recordings } }, 'six are recorded', 40);
my %r = map { $_->{channel_name} => $_ } @{ $m->recordings };

my $ask = sub {
    my ($name, $body) = @_;
    return $m->call(POST => "/api/v1/recordings/$r{$name}{id}/exports", $body || {});
};
my $x = $ask->('plain');
is($x->{status}, 409, 'not while it is in progress');
like($x->{content}, qr/in progress/, '... says the answer');

$m->channel($_, live => 0, endlist => 1) for keys %channel;
wait_for(sub { 6 == grep { $_->{status} eq 'recorded' } @{ $m->recordings } },
         'all are over', 60);
%r = map { $_->{channel_name} => $m->recording($_->{id}) } @{ $m->recordings };

my $job = sub { $m->json("/api/v1/jobs/$_[0]") };
my $done = sub {
    my ($id, $what) = @_;
    my $j;
    wait_for(sub { $j = $job->($id); $j->{state} eq 'done' || $j->{state} eq 'failed' },
             "$what: it ends", 40);
    is($j->{state}, 'done', "$what: and succeeds") or diag $j->{error};
    return $j;
};
my $disk = sub { "$m->{storage}/" . ($_[0] =~ m{^/recordings/([^?]*)})[0] };

# what a player sees of a file, and when it flashes and beeps

sub look {
    my ($file) = @_;
    my %s;
    open my $fh, '-|', 'ffprobe', '-v', 'error', '-show_entries',
        'stream=codec_type,start_time,duration', '-of', 'csv=p=0', $file or die $!;
    while (<$fh>) {
        chomp;
        my ($type, $start, $length) = split /,/;
        $s{$type} = { start => $start, length => $length };
    }
    close $fh;
    open $fh, '-|', "ffmpeg -hide_banner -nostdin -nostats -i $file -vf"
        . " blackdetect=d=0.1:pix_th=0.3 -af silencedetect=n=-30dB:d=0.1 -f null - 2>&1"
        or die $!;
    my (@flash, @beep);
    while (<$fh>) {
        push @flash, $1 while /black_end:([\d.]+)/g;
        push @beep, $1 while /silence_end: ([\d.]+)/g;
    }
    close $fh;
    return { %s, flash => \@flash, beep => \@beep };
}

sub together {
    my ($file, $seconds, $what) = @_;
    my $l = look($file);
    for my $type ('video', 'audio') {
        ok($l->{$type}, "$what: it has $type") or next;
        cmp_ok(abs($l->{$type}{length} - $seconds), '<', 0.1,
               "$what: $type of $seconds s") or diag $l->{$type}{length};
    }
    cmp_ok(abs($l->{video}{start} - $l->{audio}{start}), '<', 0.1,
           "$what: they begin together");
    my ($flash, $beep) = @$l{'flash', 'beep'};
    cmp_ok(scalar @$flash, '>=', $seconds - 2, "$what: it flashes");
    my @off = grep { my $f = $_; !grep { abs($_ - $f) < 0.1 } @$beep } @$flash;
    pop @off if @off && $off[-1] > $seconds - 0.2;
    is("@off", '', "$what: and each flash has its beep") or diag "@$flash / @$beep";
    return $l;
}

my $sum = sub {
    my $s = 0;
    $s += $_->{dur} for grep { !$_->{gap} } playlist_entries($m->playlist($r{$_[0]}));
    return $s;
};

# all of it

for my $name (sort keys %channel) {
    $x = $ask->($name);
    is($x->{status}, 201, "$name: asked for");
    my $id = $x->{json}{id};
    is($x->{json}{recording_id}, $r{$name}{id}, "$name: of this recording");
    my $j = $done->($id, $name);
    cmp_ok(abs($j->{duration} - $sum->($name)), '<', 0.15, "$name: as long as it is");
    is($j->{progress}, 1, "$name: all of it");
    is(-s $disk->($j->{url}), $j->{bytes}, "$name: so many bytes");
    together($disk->($j->{url}), $sum->($name), $name);
    my $head = slurp($disk->($j->{url}));
    cmp_ok(index($head, 'moov'), '<', index($head, 'mdat'), "$name: plays at once");
    $r{$name}{job} = $j;
    $x = $ask->($name);
    is("$x->{status} $x->{json}{id}", "200 $id", "$name: again: the one that there is");
}
cmp_ok($sum->('holes'), '<', 15, 'what is missing is missing');
cmp_ok($sum->($_), '==', 15, "$_: what is there is there") for 'clocks', 'untold', 'leaps';
unlike($m->playlist($r{$_}), qr/DISCONTINUITY/, "$_: nobody told of its clock")
    for 'untold', 'leaps';
is(join(' ', grep { /part|\.export/ } file_list($m->{storage})), '', 'nothing else is left');

# downloaded

my $j = $r{plain}{job};
my $get = $m->get($j->{url});
is($get->{status}, 200, 'it is served');
is($get->{headers}{'content-type'}, 'video/mp4', 'as what it is');
ok(!$get->{headers}{'content-disposition'}, 'to be played');
$get = $m->get($j->{download}, Range => 'bytes=0-99');
is($get->{status}, 206, 'and in pieces, to be saved');
my $d = $get->{headers}{'content-disposition'};
my ($plain, $coded) = $d =~ /^attachment; filename="([ -~]+)"; filename\*=UTF-8''([A-Za-z0-9.~_%-]+)$/
    or diag $d;
my $named = $coded =~ s/%(..)/chr hex $1/ger;
like($named, qr/^\Q@{[ encode_utf8('밤샘 방송') ]}\E.*100%.*\d{4}-\d\d-\d\d\.mp4$/, 'under its title');
unlike($named, qr{[:/\\"<>|?*\0-\x1f]}, 'which every system can keep');
like($plain, qr/^__ __.*plain.*\.mp4$/, 'or what ASCII has of it');

$get = $m->get("$j->{url}?download=..%2F%22%0D%0AX-Bad:%201%22.exe");
like($get->{headers}{'content-disposition'},
     qr/^attachment; filename="[^"\r\n]+\.exe\.mp4"; filename\*=UTF-8''[\w.~%-]+\.mp4$/,
     'a name that a stranger chose is nothing but a name of an mp4');
ok(!$get->{headers}{'x-bad'}, 'and no header');
like($m->get("$j->{url}?download=")->{headers}{'content-disposition'} // '',
     qr/filename="export-\d+\.mp4"/, 'without one it is that of the file');
like($m->get("$j->{url}?download=%FF%FE")->{headers}{'content-disposition'} // '',
     qr/filename\*=UTF-8''[\w.~%-]+\.mp4$/, 'what is no text is none');

# spans: the segments that have a part in it

$x = $ask->('clocks', { begin => 3.5, end => 7.2 });
is($x->{status}, 201, 'a span');
is("$x->{json}{begin} $x->{json}{end}", '3.5 7.2', 'as asked for');
$j = $done->($x->{json}{id}, 'span');
together($disk->($j->{url}), 5, 'span');
like($j->{download}, qr/%203s-7s\.mp4$/, 'span: its name says so');
is($ask->('clocks', { begin => 3.5, end => 7.2 })->{json}{id}, $j->{id}, 'span: kept');
$j = $done->($ask->('clocks', { begin => 13 })->{json}{id}, 'tail');
together($disk->($j->{url}), 2, 'tail');
is($j->{end}, undef, 'tail: without an end');

my $path = "/api/v1/recordings/$r{clocks}{id}/exports";
is(join(' ', map { $_->{begin} } @{ $m->json($path)->{items} }), '0 3.5 13', 'three of it');
for ([{ begin => -1 } => 400], [{ end => 0 } => 400], [{ begin => 5, end => 5 } => 400],
     [{ begin => 'x' } => 400], [{ begin => 15.2 } => 400], [{ more => 1 } => 400],
     ['[]' => 400], ['' => 400])
{
    my ($body, $status) = @$_;
    $x = $m->call(POST => $path, $body);
    is($x->{status}, $status, 'refused: ' . (ref $body ? JSON::PP::encode_json($body) : $body))
        or diag $x->{content};
}
is($m->call(POST => '/api/v1/recordings/999999/exports', {})->{status}, 404, 'of nothing');
is($m->call(GET => '/api/v1/recordings/999999/exports')->{status}, 404, 'there is none');
is($m->call(GET => '/api/v1/jobs/999999')->{json}{error}, 'job_not_found', 'no such job');
is($m->call(DELETE => '/api/v1/jobs/999999')->{status}, 404, '... to be cancelled');
is($m->call(POST => '/api/v1/jobs/999999/retry')->{status}, 404, '... to be tried');
is($m->call(POST => "/api/v1/jobs/$j->{id}/retry")->{status}, 409, 'a success is not tried again');
is($m->{http_client}->request('POST', $m->url($path),
    { headers => { Origin => 'http://evil.example', 'Content-Type' => 'application/json' },
      content => '{}' })->{status}, 403, 'pages of others ask for nothing');

my $jobs = sub { join ' ', map { $_->{id} } @{ $m->json("/api/v1/jobs$_[0]")->{items} } };
is(scalar split(/ /, $jobs->('?state=done')), 8, 'eight in all');
is($jobs->('?state=failed'), '', 'none has failed');
$x = $m->json('/api/v1/jobs?limit=4');
is(scalar @{ $x->{items} }, 4, 'by pages');
$x = $m->json("/api/v1/jobs?limit=4&after=$x->{next}");
is(scalar @{ $x->{items} } . ($x->{next} // ' end'), '4 end', '... which end');

# a result is deleted; what was missing of the disk is missing in the next one

is($m->call(DELETE => "/api/v1/jobs/$j->{id}")->{status}, 204, 'a result is deleted');
is($m->get("/api/v1/jobs/$j->{id}")->{status}, 404, 'at once');
wait_for(sub { !-e $disk->($j->{url}) }, 'its file goes');
wait_for(sub { $m->one("SELECT count(*) FROM job WHERE id = $j->{id}") == 0 }, 'so does its row');
my ($gone) = map { $_->{uri} } (playlist_entries($m->playlist($r{clocks})))[2];
unlink $disk->($r{clocks}{url} =~ s/index\.m3u8$/$gone/r) or die;
$j = $done->($ask->('clocks', { end => 5 })->{json}{id}, 'a lost file');
together($disk->($j->{url}), 4, 'a lost file');
like($m->log, qr/export of recording $r{clocks}{id}: the files of 1 of its segments are not there/,
     'a lost file: the log says so');

# one that cannot be read just now is not lost

my $shut = $disk->($r{clocks}{url} =~ s/index\.m3u8$/(playlist_entries($m->playlist($r{clocks})))[1]{uri}/er);
my ($mode, $owner, $group) = (stat $shut)[2, 4, 5];
SKIP: {
    skip 'only root can give files away', 3 if $>;
    chown 0, 0, $shut;
    chmod 0600, $shut;
    my $id = $ask->('clocks', { end => 6 })->{json}{id};
    wait_for(sub { my $j = $job->($id); $j->{state} eq 'queued' && $j->{attempts} == 1 },
             'a shut file: it is tried again');
    is($job->($id)->{error}, 'a file could not be read or written', 'a shut file: why');
    chown $owner, $group, $shut;
    chmod $mode & 07777, $shut;
    $m->psql("UPDATE job SET run_at = now() WHERE id = $id");
    $j = $done->($id, 'a shut file');
    together($disk->($j->{url}), 5, 'a shut file');
}

# a recording that has grown since has another export; the old one goes

$m->psql("UPDATE media_record SET segments = segments + 1 WHERE id = $r{plain}{id}");
$x = $ask->('plain');
is($x->{status}, 201, 'grown: asked for anew');
$done->($x->{json}{id}, 'grown');
wait_for(sub { !-e $disk->($r{plain}{job}{url}) }, 'grown: the old one goes');

# what is cut out is not exported; the one before that goes when it is asked for again

is($m->call(POST => "/api/v1/recordings/$r{frames}{id}/cuts", { begin => 1.5, end => 3.5 })
     ->{json}{applied}, JSON::PP::true(), 'a cut');
$x = $ask->('frames');
is($x->{status}, 201, 'cut: asked for anew');
$j = $done->($x->{json}{id}, 'cut');
together($disk->($j->{url}), 3, 'cut');
wait_for(sub { !-e $disk->($r{frames}{job}{url}) }, 'cut: the whole one goes');
is($ask->('frames')->{json}{id}, $j->{id}, 'cut: the new one is kept');
$j = $done->($ask->('frames', { begin => 1.2, end => 4.5 })->{json}{id}, 'cut span');
together($disk->($j->{url}), 2, 'cut span');

# with sound in a playlist of its own

my ($base) = $disk->($r{plain}{url}) =~ m{(.*)/};
mkdir "$base-two";
MNT::quiet('ffmpeg', '-v', 'error', '-nostdin', '-i', "$channel{plain}{bodies}/list.m3u8", '-map',
    "0:$_->[0]", '-c', 'copy', '-bsf:a', 'aac_adtstoasc', '-f', 'hls', '-hls_time', 1, '-hls_list_size', 0,
    '-hls_segment_type', 'fmp4', '-hls_fmp4_init_filename', "$_->[2]init-1.mp4",
    '-hls_playlist_type', 'vod',
    '-hls_segment_filename', "$base-two/$_->[2]00000%d.m4s", "$base-two/$_->[1].m3u8") or die
    for ['v', 'video', ''], ['a', 'audio-1', 'a1-'];
spew("$base-two/index.m3u8", <<'END');
#EXTM3U
#EXT-X-VERSION:7
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="a,URI=x",DEFAULT=YES,URI="audio-1.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=100000,AUDIO="audio"
video.m3u8
END
MNT::quiet('chmod', '-R', 'a+rX', "$base-two");
MNT::quiet('chown', '-R', 'nobody:nogroup', "$base-two");
$m->psql("INSERT INTO media_record (platform, channel_id, channel_name, day, sequence, path,
            epoch, storage, status, ended_at, segments, bytes, duration_us)
          SELECT platform, channel_id, 'two', day, 1000, path || '-two', epoch, storage,
            'recorded', now(), 5, 5000, 5000000 FROM media_record WHERE id = $r{plain}{id}");
($r{two}) = grep { $_->{channel_name} eq 'two' } @{ $m->recordings };
$j = $done->($ask->('two')->{json}{id}, 'two playlists');
together($disk->($j->{url}), 5, 'two playlists');
like($j->{download}, qr/\?download=two%20/, 'without a title it is called as its channel');

# in a directory whose name is no address

my $odd = encode_utf8('#1 방송? 50%25');
mkdir "$m->{storage}/$odd" or die;
MNT::quiet('cp', '-a', $base, "$m->{storage}/$odd/a b") or die;
MNT::quiet('chown', 'nobody:nogroup', "$m->{storage}/$odd");
$m->psql("INSERT INTO media_record (platform, channel_id, channel_name, day, sequence, path,
            epoch, storage, status, ended_at, segments, bytes, duration_us)
          SELECT platform, channel_id, 'odd', day, 1001, '$odd/a b', epoch, storage,
            'recorded', now(), segments, bytes, 5000000 FROM media_record
           WHERE id = $r{plain}{id}");
($r{odd}) = grep { $_->{channel_name} eq 'odd' } @{ $m->recordings };
$j = $done->($ask->('odd')->{json}{id}, 'odd');
is($m->get($j->{url})->{status}, 200, 'odd: it is served');
spew("$dir/odd.mp4", slurp($disk->($j->{url}) =~ s/%(..)/chr hex $1/ger));
together("$dir/odd.mp4", 5, 'odd');

# deleted with its recording

for my $name ('clocks', 'two') {
    is($m->call(DELETE => "/api/v1/recordings/$r{$name}{id}")->{status}, 204, "$name is deleted");
    is($m->get("/api/v1/recordings/$r{$name}{id}/exports")->{status}, 404, '... and its exports');
    wait_for(sub { !-e ($disk->($r{$name}{url}) =~ m{(.*)/})[0] }, '... with all files', 10);
    is($m->one("SELECT count(*) FROM job WHERE recording_id = $r{$name}{id}"), 0, '... and rows');
    is($ask->($name)->{status}, 404, '... no more are made');
}

$m->finish;
