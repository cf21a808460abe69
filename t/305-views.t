use strict;
use warnings;
use lib 't/lib';
use MNT;
use File::Path qw(make_path);
use IO::Select;
use IO::Socket::INET;
use IO::Uncompress::Gunzip qw(gunzip);
use Test::More;
use Time::HiRes qw(sleep time);

# U1: a playlist of ten hours is cheap while it grows: a reload takes what is new
# (_HLS_skip), waits for it (_HLS_msn), or shows the last seconds only (?window).
# An entry that is being appended is in no view, a source that pauses breaks no
# player, who waits is answered whatever becomes of the file or of the worker.

my $m = MNT->new(workers => 2, http => <<'END', server => <<'END_SERVER');
    gzip on; gzip_types application/vnd.apple.mpegurl; gzip_min_length 500;
END
    location = /page {
        ssi on;
        default_type text/html;
        return 200 '[<!--# include virtual="/recordings/x/1/$arg_of" -->]';
    }
END_SERVER
my $SOON = 0.6 * $MNT::PATIENCE;

# playlists that are written by hand, as the recorder writes them

my $DIR = "$m->{storage}/x/1";
my $URL = '/recordings/x/1';
make_path($DIR);

sub entry {
    my ($n, $more) = @_;
    return ($more // '') . '#EXT-X-PROGRAM-DATE-TIME:2026-11-30T00:00:'
        . sprintf("%02d.%03dZ\n", $n / 1000 % 60, $n % 1000)
        . sprintf "#EXTINF:2.000000,\n%06d.ts\n", $n + 1;
}
sub head {
    my ($target) = @_;
    return "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:$target\n"
        . "#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:EVENT\n";
}
sub append {
    my ($name, $text) = @_;
    open my $fh, '>>:raw', "$DIR/$name.m3u8" or die $!;
    syswrite $fh, $text;
}
sub playlist {
    my ($name, $n, $target) = @_;
    spew("$DIR/$name.m3u8", head($target // 2) . join '', map { entry($_) } 0 .. $n - 1);
    chmod 0644, "$DIR/$name.m3u8";
}
sub on_disk {
    my ($name) = @_;
    return slurp("$DIR/$name.m3u8") =~ s/.*?TYPE:EVENT\n//sr;
}

# requests that are answered later

sub ask {
    my ($path, %o) = @_;
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', Timeout => 5,
                                  PeerPort => $m->{port}) or die $!;
    my $how = delete $o{method} // 'GET';
    print $s "$how $path HTTP/1.1\r\nHost: x\r\nConnection: close\r\n",
        (map { "$_: $o{$_}\r\n" } keys %o), "\r\n";
    $s->flush;
    return $s;
}
sub waits {
    my ($s, $seconds) = @_;
    return !IO::Select->new($s)->can_read($seconds // 0.4);
}
sub answer {
    my ($s, $seconds) = @_;
    my ($t0, $text, $n) = (time, '');
    my $sel = IO::Select->new($s);
    do {
        $sel->can_read(($seconds // 5) * $MNT::PATIENCE + $t0 - time) or return {};
        $n = sysread $s, $text, 65536, length $text;
    } while $n;
    my ($head, $body) = split /\r\n\r\n/, $text, 2;
    return {} unless ($head // '') =~ m{^HTTP/1\.1 (\d+)};
    my %a = (status => $1, head => $head, took => time - $t0);
    if ($head =~ /chunked/) {
        $a{body} .= substr $body, 0, hex $1, '' while $body =~ s/^\r?\n?([0-9a-f]+)\r\n//;
    } else {
        $a{body} = $body;
    }
    return \%a;
}
sub now { return answer(ask(@_)) }
sub count { return scalar(playlist_entries($_[0]{body})) }

# what a player that has the whole makes of a delta: the entries

sub merged {
    my ($whole, $delta) = @_;
    my ($skip) = $delta =~ /^#EXT-X-SKIP:SKIPPED-SEGMENTS=(\d+)\n/m;
    my $rest = $delta =~ s/.*?(?=#EXT-X-(?:PROGRAM|DISC|GAP|MAP)|#EXTINF)//sr;
    return $rest unless $skip;
    my @old = $whole =~ /\G((?:#[^\n]*\n)*[^#\n][^\n]*\n)/g;
    return join('', @old[0 .. $skip - 1]) . $rest;
}

playlist(big => 18_000);
playlist($_ => 20) for qw(small torn replaced gone ended leaver reload viewer);
playlist(slow => 20, 1);
spew("$DIR/master.m3u8", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=2,CODECS=\"a,b\"\n"
     . "video.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=1\n144p.m3u8\n");
system('chmod', '-R', 'a+rX', $m->{storage});

$m->channel(alpha => live => 1, dur => 1);
$m->start;
$m->up;
$m->watch('alpha');

# one request is nobody yet (ADR 020), however long it waits

my $q = ask("$URL/viewer.m3u8?_HLS_msn=20", 'User-Agent' => 'once');
ok(waits($q), 'it waits');
append(viewer => entry(20));
is(answer($q)->{status}, 200, 'and is answered');
sleep 4;
is($m->metric('mntreamer_viewers'), 0, 'who asked once and waited is no viewer');

# ten hours

my $r = now("$URL/big.m3u8");
is($r->{status}, 200, 'the whole');
my ($file) = slurp("$DIR/big.m3u8");
is($r->{body} =~ s/^#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=18\.0\n//mr,
   $file, 'as it is on the disk, and what it can');
unlike($file, qr/SERVER-CONTROL/, 'which is not on the disk');
unlike($r->{head}, qr/^Last-Modified/mi, 'no date that two views could share');

my $whole = on_disk('big');
my $d = now("$URL/big.m3u8?_HLS_skip=YES");
cmp_ok(length "$d->{head}$d->{body}", '<', 2048, 'a reload takes less than 2 KB');
like($d->{body}, qr/^#EXT-X-VERSION:9$/m, 'of a version that has EXT-X-SKIP');
like($d->{body}, qr/^#EXT-X-SKIP:SKIPPED-SEGMENTS=17991\n#EXT-X-PROGRAM/m, 'which skips');
is(merged($whole, $d->{body}), $whole, 'and is the whole again');

my ($tag) = $d->{head} =~ /^ETag: (\S+)\r?$/m;
is(now("$URL/big.m3u8?_HLS_skip=YES", 'If-None-Match' => $tag)->{status}, 304,
   'nothing new: 304');
for (18_000 .. 18_003) {
    append(big => entry($_));
    my $n = now("$URL/big.m3u8?_HLS_skip=YES", 'If-None-Match' => $tag);
    is($n->{status}, 200, 'new, within the same second: not 304');
    is(merged($whole, $n->{body}), on_disk('big'), '... it has that entry');
    ($tag) = $n->{head} =~ /^ETag: (\S+)\r?$/m;
}
my ($other) = now("$URL/big.m3u8?window=60")->{head} =~ /^ETag: (\S+)\r?$/m;
isnt($other, $tag, 'each view has a tag of its own');

append(big => entry(18_004, "#EXT-X-DISCONTINUITY\n"));
append(big => entry($_)) for 18_005 .. 18_049;
for ([60, 30], [1, 3], [3600, 1800]) {
    my ($s, $want) = @$_;
    my $w = now("$URL/big.m3u8?window=$s");
    is(count($w), $want, "window=$s: the last $want entries");
    like($w->{body}, qr/^#EXT-X-MEDIA-SEQUENCE:@{[ 18_050 - $want ]}$/m, '... their numbers');
    is($w->{body} =~ /DISCONTINUITY-SEQUENCE:1/ ? 1 : 0, $want < 45 ? 1 : 0,
       '... and the discontinuities before them');
    unlike($w->{body}, qr/EVENT|SKIP:/, '... not as an event');
    ok(substr(on_disk('big'), -200) eq substr($w->{body}, -200), '... up to the last');
}
my %got;
$got{ now("$URL/big.m3u8?_HLS_skip=v2")->{body} }++ for 1 .. 20;
is(scalar(keys %got), 1, 'all workers say the same');

for (['big.m3u8?_HLS_skip=YES'], ['big.m3u8?window=30'], ['big.m3u8']) {
    my $h = now("$URL/$_->[0]", method => 'HEAD');
    my $g = now("$URL/$_->[0]");
    is($h->{head} =~ s/^Date.*\n//mr, $g->{head} =~ s/^Date.*\n//mr, "HEAD of $_->[0]");
    is($h->{body}, '', '... is the head only');
    like($h->{head}, qr/^Content-Length: @{[ length $g->{body} ]}\r?$/m, '... and its length');
    my $z = now("$URL/$_->[0]", 'Accept-Encoding' => 'gzip');
    like($z->{head}, qr/^Content-Encoding: gzip/m, '... with gzip');
    my $plain;
    gunzip(\$z->{body} => \$plain);
    ok(defined $plain && $plain eq $g->{body}, '... the same');
}

# what is refused

is(now("$URL/small.m3u8?$_")->{status}, 400, "$_: 400")
    for 'window=0', 'window=', 'window=x', 'window=-1', 'window=3601',
        'window=99999999999999999999', '_HLS_msn=', '_HLS_msn=x', '_HLS_msn=-1',
        '_HLS_msn=99999999999999999999', '_HLS_msn=22', '_HLS_msn=9223372036854775807',
        '_HLS_skip=', '_HLS_skip=NO', '_HLS_part=1';
is(now("$URL/small.m3u8?$_")->{status}, 200, "$_: answered at once")
    for '_HLS_msn=0', '_HLS_msn=19', '_HLS_msn=19&_HLS_part=0', 'token=a&x=%00';

# waiting

for my $n (20 .. 22) {
    my @q = map { ask("$URL/small.m3u8?_HLS_msn=$n$_") } '', '&_HLS_skip=YES', '&window=10';
    ok(waits($q[0]), "segment $n is waited for");
    append(small => entry($n));
    for (@q) {
        my $a = answer($_);
        cmp_ok($a->{took} // 99, '<', $SOON, 'and answered at once');
        like($a->{body}, qr/^@{[ sprintf '%06d', $n + 1 ]}\.ts\n\z/m, 'with it');
    }
}
$q = ask("$URL/small.m3u8?_HLS_msn=24");
append(small => entry(23));
ok(waits($q), 'the one after the next one is waited for, too');
append(small => entry(24));
cmp_ok(answer($q)->{took} // 99, '<', $SOON, '... and answered');

for ('small.m3u8', 'small.m3u8?_HLS_msn=25', 'small.m3u8?_HLS_skip=YES', 'small.m3u8?window=4') {
    is(now("/page?of=$_")->{body}, '[' . now("$URL/small.m3u8" . (/(\?[^_].*|\?_HLS_s.*)/ ? $1 : ''))->{body} . ']',
       "within a page it waits for nothing: $_");
}

$q = ask("$URL/slow.m3u8?_HLS_msn=20&_HLS_skip=YES");
my $a = answer($q);
is($a->{status}, 200, 'a source that pauses: what there is');
is(merged(on_disk('slow'), $a->{body}), on_disk('slow'), 'all of it');
cmp_ok($a->{took}, '>', 2.7, 'after three target durations');
cmp_ok($a->{took}, '<', 3 + $SOON, 'and not later');

$q = ask("$URL/torn.m3u8?_HLS_msn=20");
my $e = entry(20);
for my $n (10, 70, length($e) - 1) {
    truncate "$DIR/torn.m3u8", length(head(2)) + 20 * length $e;
    append(torn => substr $e, 0, $n);
    ok(waits($q), "$n bytes of an entry are none");
    for ('', '?_HLS_skip=YES', '?window=10') {
        unlike(now("$URL/torn.m3u8$_")->{body}, qr/^000021|02\d\n?\z/m, '... in any view');
    }
}
append(torn => "\n");
like(answer($q)->{body}, qr/000021\.ts\n\z/, 'its last byte makes it one');

# written anew in the same inode, as a file that was removed gives its number away

is(merged(on_disk('torn'), now("$URL/torn.m3u8?_HLS_skip=YES")->{body}), on_disk('torn'),
   'what is known of a file');
spew("$DIR/torn.m3u8", head(2) . join '', map { entry($_, "#EXT-X-DISCONTINUITY\n") } 100 .. 140);
is(merged(on_disk('torn'), now("$URL/torn.m3u8?_HLS_skip=YES")->{body}), on_disk('torn'),
   'is not kept when its end is another one');
like(now("$URL/torn.m3u8?window=10")->{body}, qr/SEQUENCE:36\n/, 'nor are its numbers');

# the file is replaced, removed, ends

for my $n (0, 1) {
    playlist('replaced-new' => 20 + $n);
    $q = ask("$URL/replaced.m3u8?_HLS_msn=@{[ 20 + $n ]}");
    ok(waits($q, 0.2), 'it waits');
    rename "$DIR/replaced-new.m3u8", "$DIR/replaced.m3u8" or die $!;
    ok(waits($q), 'the new file does not have it either');
    append(replaced => entry(20 + $n));
    cmp_ok(answer($q)->{took} // 99, '<', $SOON, 'but then');
}
playlist('replaced-new' => 40);
$q = ask("$URL/replaced.m3u8?_HLS_msn=22&_HLS_skip=YES");
ok(waits($q, 0.2), 'it waits');
rename "$DIR/replaced-new.m3u8", "$DIR/replaced.m3u8" or die $!;
$a = answer($q);
cmp_ok($a->{took} // 99, '<', $SOON, 'one that has it is answered');
is(merged(on_disk('replaced'), $a->{body}), on_disk('replaced'), 'from the new one');

$q = ask("$URL/gone.m3u8?_HLS_msn=20");
ok(waits($q, 0.2), 'it waits');
unlink "$DIR/gone.m3u8" or die $!;
is(answer($q)->{status}, 404, 'a recording that is removed is not found');

my @q = map { ask("$URL/ended.m3u8?_HLS_msn=20$_") } '', '&_HLS_skip=YES', '&window=10';
ok(waits($q[0], 0.2), 'it waits');
append(ended => "#EXT-X-ENDLIST\n");
for (@q) {
    $a = answer($_);
    cmp_ok($a->{took} // 99, '<', $SOON, 'the end is told');
    like($a->{body}, qr/000020\.ts\n#EXT-X-ENDLIST\n\z/, '... as what it is');
    unlike($a->{body}, qr/SERVER-CONTROL/, '... nothing is announced any more');
}
is(now("$URL/ended.m3u8")->{body}, slurp("$DIR/ended.m3u8"), 'then it is the file');
is(count(now("$URL/ended.m3u8?window=10")), 5, 'a window stays one');
utime 1_700_000_000, 1_700_000_000, "$DIR/ended.m3u8";
is(count(now("$URL/ended.m3u8?window=10")), 5, '... for ever');
like(now("$URL/ended.m3u8")->{head}, qr/^Last-Modified: Tue, 14 Nov 2023/m, 'with its date');

# renditions

is(now("$URL/master.m3u8?window=60")->{body},
   "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=2,CODECS=\"a,b\"\nvideo.m3u8?window=60\n"
   . "#EXT-X-STREAM-INF:BANDWIDTH=1\n144p.m3u8?window=60\n",
   'the window of a multivariant playlist is that of each of them');
is(now("$URL/master.m3u8$_")->{body}, slurp("$DIR/master.m3u8"), "else it is the file: $_")
    for '', '?_HLS_skip=YES', '?_HLS_msn=5';

spew("$DIR/foreign.m3u8", head(2) . "#EXT-X-KEY:METHOD=NONE\n" . join '', map { entry($_) } 0 .. 40);
chmod 0644, "$DIR/foreign.m3u8";
is(now("$URL/foreign.m3u8$_")->{body}, slurp("$DIR/foreign.m3u8"), "what is not ours is as it is: $_")
    for '', '?_HLS_skip=YES', '?window=10', '?_HLS_msn=41';

# who leaves

my $open = sub {
    my $n = 0;
    $n += () = glob "/proc/$_/fd/*" for $m->workers_of;
    return $n;
};
now("$URL/leaver.m3u8") for 1 .. 8;
my $before = $open->();
for (1 .. 3) {
    @q = map { ask("$URL/leaver.m3u8?_HLS_msn=20") } 1 .. 40;
    ok(waits($q[-1], 0.3), 'forty wait');
    cmp_ok($open->() - $before, '<=', 44, 'each with its connection, not with a file');
    close $_ for @q[0 .. 19];
    undef @q[0 .. 19];
    append(leaver => entry(20)) if $_ == 3;
    @q = ();
}
wait_for(sub { $open->() <= $before + 2 }, 'nothing of those who left stays open');

# a reload of nginx

my @old = $m->workers_of;
@q = map { ask("$URL/reload.m3u8?_HLS_msn=20&_HLS_skip=YES") } 1 .. 20;
ok(waits($q[0], 0.3), 'twenty wait');
my $t0 = time;
$m->reload;
my @a = map { answer($_) } @q;
is(scalar(grep { ($_->{status} // 0) == 200 } @a), 20, 'a reload answers all of them');
is(scalar(grep { merged(on_disk('reload'), $_->{body}) eq on_disk('reload') } @a), 20,
   'with what there is');
wait_for(sub { my %now = map { $_ => 1 } $m->workers_of; !grep { $now{$_} } @old },
         'the old workers leave', 10);
cmp_ok(time - $t0, '<', 6 * $MNT::PATIENCE, 'within 6 s');

# new workers do not know the long one yet: many ask at once, some do not stay

@q = map { ask("$URL/big.m3u8?_HLS_skip=YES") } 1 .. 60;
close $_ for @q[grep { $_ % 3 == 0 } 0 .. 59];
@a = map { answer($q[$_]) } grep { $_ % 3 } 0 .. 59;
$whole = on_disk('big');
is(scalar(grep { merged($whole, $_->{body} // '') eq $whole } @a), 40,
   'who stays while it is read has it');

# what is too long has no views

{
    open my $fh, '>:raw', "$DIR/long.m3u8" or die $!;
    print $fh head(2), map { entry($_) } 0 .. 110_000;
}
chmod 0644, "$DIR/long.m3u8";
is(now("$URL/long.m3u8?_HLS_skip=YES")->{body}, slurp("$DIR/long.m3u8"), 'above 8 MB: the file');

# a recording: a player that has the whole once follows it by deltas

my $rec = wait_for(sub { my $x = $m->recordings->[0]; $x && $x->{segments} >= 8 && $x },
                   'a recording', 30);
my $have = now($rec->{url})->{body};
my $text = merged('', $have);
for (1 .. 6) {
    my $n = () = $text =~ /^[^#\n]/mg;
    my $x = answer(ask("$rec->{url}?_HLS_msn=$n&_HLS_skip=YES"));
    is($x->{status}, 200, "segment $n");
    $text = merged($text, $x->{body});
    cmp_ok(scalar(() = $text =~ /^[^#\n]/mg), '>', $n, '... came');
    my $all = merged('', now($rec->{url})->{body});
    is(substr($all, 0, length $text), $text, '... and is as in the whole');
}
is(now("$rec->{url}?window=5")->{status}, 200, 'and has windows');
like(now("$rec->{url}?window=5")->{body}, qr/MEDIA-SEQUENCE:[1-9]/, '... that move');

$m->finish;
