use strict;
use warnings;
use lib 't/lib';
use MNT;
use MNTRTMP;
use Cwd qw(abs_path);
use File::Temp qw(tempdir);
use Test::More;

# RELIABILITY S10: the ffmpeg and ffprobe of a worker open nothing but what they
# are given, start nothing and make no socket, whatever the media holds and
# whatever a channel or a title is called.  strace stands before them and tells
# what they ask of the kernel.

sub which { return (grep { -x } map { "$_/$_[0]" } split /:/, $ENV{PATH})[0] }

my $strace = which('strace')
    or plan skip_all => 'there is no strace';
my %real = map { $_ => which($_) } qw(ffmpeg ffprobe);

# the environment of programs is one of their own: the wrapper knows its places.
# What io_uring would do nobody would see; "?": not everywhere is there such a call

my $watched = '/openat2?$,?open,?creat,/^(execve|clone|v?fork),'
    . '/^(rename|unlink|mkdir|rmdir|link|symlink|mknod|truncate|io_uring),'
    . 'socket,socketpair,connect,bind';
my $dir = tempdir('mntopens-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $logs = "$dir/logs";
mkdir $_ for $logs, "$dir/bin";
chmod 0755, $dir, "$dir/bin";
chmod 0777, $logs;

for (sort keys %real) {
    spew("$dir/bin/$_", "#!/bin/sh\nexec $strace -f -qq -y -s 4096"
         . " -e 'trace=$watched' -o $logs/$_.\$\$ $real{$_} \"\$@\"\n");
    chmod 0755, "$dir/bin/$_";
}


# a line of strace: texts are as in C, "<...>" behind a descriptor is its file

sub plain {
    my ($text) = @_;
    my %c = (n => "\n", t => "\t", r => "\r", v => "\x0b", f => "\f");
    $text =~ s{\\([0-7]{1,3}|.)}
              { $1 =~ /\d/ ? chr oct $1 : $c{$1} // $1 }gex;
    return $text =~ s{/+}{/}gr;
}


# what was opened, by { name, cwd, how }; where that was; all that is none

my $text = qr/((?:[^"\\]|\\.)*)/;

sub told {
    my ($file) = @_;
    my %t = (program => $file =~ m{/(\w+)\.\d+$}, args => [], opened => [],
             at => [], other => []);

    for (split /\n/, slurp($file) =~ s/[^\n]*\z//r) {       # it may have been killed
        s/^\d+\s+//;
        push @{ $t{at} }, plain($1) if /= \d+<(\/[^>]*)>(?:\(deleted\))?$/;
        next if /^(?:<\.\.\.|---|\+\+\+)/;

        if (/^openat\(AT_FDCWD(?:<([^>]*)>)?, "$text"(?:\.\.\.)?, ([A-Z_|]+)/) {
            push @{ $t{opened} }, { cwd => plain($1 // '?'), name => plain($2),
                                    how => $3 };
        } elsif (/^openat\(\d+<([^>]*)>, "$text", ([A-Z_|]+)/) {
            push @{ $t{opened} }, { cwd => plain($1), name => plain($2),
                                    how => $3 };
        } elsif (/^execve\("$text", \[(.*)\], 0x/ && !@{ $t{args} }) {
            my ($name, $args) = ($1, $2);
            $t{executed} = plain($name);
            push @{ $t{args} }, plain($1) while $args =~ /"$text"/g;
        } elsif (!/^clone3?\(.*\bCLONE_THREAD\b/) {
            push @{ $t{other} }, $_;
        }
    }
    return \%t;
}


sub all_told {
    my ($program) = @_;
    return map { told($_) } grep { -s } sort glob "$logs/" . ($program // '*') . '.*';
}


# what one of them opens without any media: libraries and what they read at first

my %at_start;
for (sort keys %real) {
    my @as = $> ? () : qw(setpriv --reuid=nobody --regid=nogroup
                          --clear-groups --no-new-privs);
    MNT::quiet(@as, "$dir/bin/$_", '-version')
        or plan skip_all => "no program may be looked at by strace here";
    for my $t (all_told($_)) {
        $at_start{$_} = 1 for map({ $_->{name} } @{ $t->{opened} }), @{ $t->{at} };
    }
}
plan skip_all => 'strace tells nothing here'
    if !grep { /libc\.so/ } keys %at_start;
unlink glob "$logs/*";

my $system = qr{^(?:/(?:usr/|usr/local/)?lib\w*/.*\.so[\w.+-]*
    | /usr/lib/[\w-]+/gconv/gconv-modules[\w./-]* | /etc/ld\.so\.(?:cache|preload) | /usr/(?:lib|share)/locale/.*
    | /etc/fonts/.* | /usr/share/fonts/.* | /var/cache/fontconfig/.*
    | /proc/(?!(?:self|thread-self|\d+)/(?:root|cwd|environ|mem|fd)).*
    | /sys/.* | /dev/.*)$}x;


# media that names files and addresses of others: an alias in the "dref" of a
# track, and playlists, whose second line has a byte that no text has so that they
# are taken for media of an unknown kind

my $m = MNTRTMP->new(workers => 2, renditions => '144p',
    thumbnail => '10s width=64', mntreamer => <<'END');
layout "{title}/{channel_name}/{recording_id}";
poll_rate 200r/s;
platform chzzk { thumbnail 10s width=64; }
END
my $listener = $m->tell('/_/listen')->{port};
my $marker = "$dir/marker.ts";
my $touched = "touched-$$";
spew($marker, 'nobody is to read this');

my @encode = ('ffmpeg', '-v', 'error', '-nostdin', '-i', MNTRTMP::clip(),
              '-c', 'copy', '-f');
MNT::quiet(@encode, 'mpegts', "$dir/ts")
    && MNT::quiet(@encode, 'hls', '-hls_time', 1, '-hls_segment_type', 'fmp4',
                  '-hls_fmp4_init_filename', 'init', '-hls_segment_filename',
                  "$dir/m4s-%d", "$dir/m3u8")
    or BAIL_OUT('ffmpeg makes no media');

# QuickTime File Format, "Data Reference Atoms"; Inside Macintosh, alias records:
# 150 bytes, then tagged fields, of which 2 is the whole path

sub alias {
    my ($path) = @_;
    my $record = pack 'x10 C x27 x12 C x63 x16 n n x16 n n/a* x![2] n n', 0, 0,
        0, 0, 2, $path, 0xffff, 0;
    return pack 'N N N a4 N a*', 0, 1, 12 + length $record, 'alis', 0, $record;
}


# the $$n-th track has its samples elsewhere

sub referring {
    my ($in, $n) = @_;
    my $out = '';
    while (length $in) {
        my ($size, $type) = unpack 'N a4', $in;
        my $body = substr $in, 8, $size - 8;
        $in = substr $in, $size;
        if ($type =~ /^(?:moov|trak|mdia|minf|dinf)$/) {
            $body = referring($body, $n);
        } elsif ($type eq 'dref' && $$n-- == 0) {
            $body = alias($marker);
        }
        $out .= pack 'N a4 a*', 8 + length $body, $type, $body;
    }
    return $out;
}

my %ref = (video => referring(slurp("$dir/init"), \(my $v = 0)),
           audio => referring(slurp("$dir/init"), \(my $w = 1)));
my ($ts, $m4s) = map { slurp("$dir/$_") } 'ts', 'm4s-0';
my $http = "http://127.0.0.1:$listener/x.ts";

sub hls {
    return join "\n", '#EXTM3U', "#$_[0]", '#EXT-X-VERSION:3',
        '#EXT-X-TARGETDURATION:1', '#EXT-X-MEDIA-SEQUENCE:0', '#EXTINF:1,',
        $http, '#EXTINF:1,', "file://$marker", '#EXT-X-ENDLIST', '#' x 200, '';
}

sub script {
    return join "\n", 'ffconcat version 1.0', "#$_[0]", "file 'file://$marker'",
        "file '$http'", '#' x 200, '';
}

# by what channel and title are called: init, segments, whether there is an image

my %media = (
    '-i'                => [undef, [$ts], 1],
    "a;touch $touched"  => [$ref{audio}, [$m4s], 1],
    "\$(touch $touched)" => [undef, [$ref{audio} . $m4s], 1],
    'concat:x'          => [$ref{video}, [$m4s], 0],
    "`touch $touched`"  => [undef, [hls("\1")], 0],
    'file:|%d'          => [undef, [script("\1")], 0],
    '-y'                => [undef, [$ts, hls('text'), $ts, script('text')], 1],
);
my $i = 0;
for my $name (sort keys %media) {
    my ($init, $bodies) = @{ $media{$name} };
    my $d = "$dir/bodies-" . $i++;
    mkdir $d;
    spew("$d/init.mp4", $init) if defined $init;
    spew("$d/$_.ts", $bodies->[$_]) for 0 .. $#$bodies;
    link "$d/" . $_ % @$bodies . '.ts', "$d/$_.ts" for @$bodies .. 299;
    $m->channel($name, live => 1, dur => 1, title => $name, bodies => $d,
                kind => defined $init ? 'fmp4' : 'ts');
}


# all of it is recorded, and images are made of it or are not

$m->{main} .= "env PATH=$dir/bin:/usr/bin:/bin;";
$m->start;
$m->up;
$m->watch($_) for sort keys %media;

my $studio = $m->camera('studio');
$m->call(PATCH => "/api/v1/streamers/$studio->{id}",
         { title => "\$(touch $touched)" });
my $publisher = $m->publish($studio->{key}, '320x240');

my %path;
for my $name (sort keys %media) {
    my $r = wait_for(sub {
        my ($r) = grep { ($_->{channel_name} // '') eq $name
                         && $_->{segments} } @{ $m->recordings };
        $r && ($media{$name}[2] ? $r->{thumbnail} : $m->log
               =~ /no thumbnail of recording $r->{id}: ffmpeg exited/) && $r;
    }, "$name: ffmpeg was there", 40) or next;
    is(!!$r->{thumbnail}, !!$media{$name}[2],
       $media{$name}[2] ? '... and made an image' : '... and made nothing of it');
    is($r->{title}, $name, '... of what is called so');
    $path{$name} = $m->one("SELECT path FROM media_record WHERE id = $r->{id}");
    next if $name ne '-y';
    wait_for(sub { my @g = @{ $m->recording($r->{id})->{gap_list} };
                   @g && !grep { $_->{reason} ne 'content' } @g },
             '... of which what is text was not taken', 40);
}
cmp_ok($m->metric('mntreamer_thumbnails_total{result="failed"}'), '>=', 3,
       'what could not be made is counted');

my $own = wait_for(sub {
    my ($r) = grep { $_->{channel_id} eq 'studio' } @{ $m->recordings };
    $r && $r->{thumbnail} && $r;
}, 'an image of the own broadcast', 40);
wait_for(sub {
    my $x = $m->get($own->{url} =~ s/index\.m3u8$/144p.m3u8/r);
    $x->{status} == 200 && playlist_entries($x->{content}) >= 2;
}, 'and smaller pictures of it', 40);
$path{studio} = $m->one("SELECT path FROM media_record WHERE id = $own->{id}");

$m->stop_publisher($publisher);
ok($m->stop, 'nginx ends');
wait_for(sub {
    !grep { (slurp("/proc/$_/cmdline") // '') =~ /\Q$dir\E|\Q$m->{storage}\E/ }
        map { m{/proc/(\d+)$} } glob '/proc/[0-9]*';
}, 'no program is left');


# what they did

my ($storage, $live) = map { abs_path($_) } $m->{storage}, $m->{hls};
my (@executed, @opened, @written, @other, %had, %form);

for my $t (all_told()) {
    my @args = @{ $t->{args} };
    my ($in) = map { $args[$_ + 1] } grep { $args[$_] eq '-i' } 0 .. $#args - 1;
    my ($format) = "@args" =~ /-f (\w+) -i /;
    my %out = map { $_ => 1 } grep { m{^/.*\.part$} } @args;
    my %in = map { s/^file://r => 1 } split /\|/, ($in // '') =~ s/^concat://r;
    my $who = "$t->{program} @args[1 .. $#args]";
    $form{"$t->{program} " . ($format // 'guesses') . ' '
          . (($in // '') =~ /^(file|concat):/ ? $1 : 'path')}++;

    push @executed, $who if ($t->{executed} // '') ne $real{ $t->{program} };
    push @other, map { "$who: $_" } grep { !/^socket\(AF_UNIX|connect.*\/nscd\// }
        @{ $t->{other} };

    for my $o (@{ $t->{opened} }) {
        my $name = $o->{name};
        push @written, "$who: $name $o->{how}"
            if $o->{how} =~ /O_(?:WRONLY|RDWR|CREAT|TRUNC)/
               && !$out{$name} && $name !~ m{^/dev/};
        next if $name =~ $system || $at_start{$name};
        push @opened, "$who: $name" if !$in{$name} && !$out{$name};
        my $place = $name =~ m{^/} ? $name : "$o->{cwd}/$name";
        $had{"$t->{program} $1"}++ if $place =~ m{^(.*)/[^/]+$};
        $had{"$t->{program} out"}++ if $out{$name};
    }
    push @opened, map { "$who: is $_" } grep {
        !m{^(?:\Q$storage\E|\Q$live\E)/} && !/$system/ && !$at_start{$_}
    } @{ $t->{at} };
}
is(join("\n", @opened), '', 'nothing was opened but what they were given');
is(join("\n", @written), '', 'and written but where they were told to');
is(join("\n", @executed), '', 'none was another program');
is(join("\n", @other), '', 'or started one, made a socket or changed names');

is(join(', ', sort keys %form), 'ffmpeg mov concat, ffmpeg mov file, ffmpeg mpegts'
   . ' file, ffmpeg mpegts path, ffprobe mpegts path', 'they were asked all there is');
ok($had{"ffmpeg $storage/$path{$_}"}, "$_: was given to ffmpeg")
    for sort keys %path;
ok(scalar(grep { m{^ffprobe \Q$live\E/} } keys %had), 'ffprobe looked at a live');
ok($had{'ffmpeg out'}, 'ffmpeg wrote smaller pictures');

is(scalar(grep { $_->{port} == $listener } @{ $m->served }), 0,
   'nobody was called');
my @files = file_list($m->{storage});
is(join(' ', grep { !m{(?:^|/)(?:\.[\w.-]+|[\w-]+\.m3u8|[\w-]*\d{6}\.(?:ts|m4s)
                       |[\w-]*init-\d+\.mp4|[\w-]*\d+\.[0-9a-f]{8}\.part
                       |thumbnail\.jpg)$}x } @files), '',
   'no other file is in the storage');
is(join(' ', grep { -e "$_/$touched" } '/', $MNT::TOP, '/tmp', $dir, $m->{dir},
             $logs, $live, map { "$storage/$_" } '', values %path), '',
   'or elsewhere');
my %holds;
for (grep { /\.ts$/ } @files) {
    my $body = slurp("$m->{storage}/$_");
    $holds{$1}++ if index($body, $marker) >= 0 && m{^(.*)/};
}
is(join(' ', sort keys %holds),
   join(' ', sort @path{ "`touch $touched`", 'file:|%d' }),
   'playlists were kept only where nobody knew what they are');


# each of these does lead astray who may go there, and is noticed

sub led {
    my (@args) = @_;
    unlink glob "$logs/*";
    delete local $ENV{http_proxy};
    MNT::quiet("$dir/bin/ffmpeg", '-nostdin', @args, '-frames:v', 1, '-f', 'null',
               '-');
    return all_told();
}

sub to_marker { return grep { $_->{name} eq $marker } map { @{ $_->{opened} } } @_ }

for (qw(audio video)) {
    spew("$dir/astray", $ref{$_} . $m4s);
    ok(to_marker(led('-enable_drefs', 1, '-use_absolute_path', 1, '-f', 'mov',
                     '-i', "$dir/astray")), "a reference of $_");
}
my @all = ('-protocol_whitelist', 'file,http,tcp');
spew("$dir/astray", script("\1"));
ok(to_marker(led(@all, '-safe', 0, '-f', 'concat', '-i', "$dir/astray")),
   'a script');
spew("$dir/astray", hls("\1"));
my @led = led(@all, '-allowed_extensions', 'ALL', '-f', 'hls', '-i',
              "$dir/astray");
ok(to_marker(@led), 'a playlist');
ok(scalar(grep { /^connect\(.*htons\($listener\)/ } map { @{ $_->{other} } } @led),
   'and by a socket');

$m->finish;
