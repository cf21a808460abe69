use strict;
use warnings;
use lib 't/lib';
use MNT;
use File::Path qw(make_path);
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(sleep time);

# VOD-04: the limits of docs/operations.md, as they stand there: one answer too
# many is refused at once, with Retry-After, whichever worker it comes to; one
# that ends or breaks frees its place; a recording that is watched by enough is
# closed for others. And channels that want a link beside those that do not.

my ($limits, $linked) = slurp("$MNT::TOP/docs/operations.md")
    =~ /\n## Limits\n.*?\n```nginx\n(.*?)\n```\n.*?\n```nginx\n(.*?)\n```\n/s;
my ($http, $server) = $limits =~ /^http \{\n(.*?)\n    server \{\n(.*)\n    \}\n\}$/s
    or BAIL_OUT('the documents have no limits');
my ($map, $places) = $linked =~ /^(map .*?)\n\n(.*)$/s or BAIL_OUT('nor links');

# smaller ones, and each in a location of its own

for ($http, $server) {
    s/recording 500/recording 3/;
    s/rate=20r/rate=1r/;
    s/burst=40/burst=3/;
    s/limit_rate_after\s+2m/limit_rate_after 20k/;
    s/limit_rate\s+1m/limit_rate 20k/;
    s/max_viewers\s+1000/max_viewers 2/;
}
my $m = MNT->new(workers => 4);
spew("$m->{dir}/linked", "open-not 1;\n");
spew("$m->{dir}/key", 'a key of thirty-two bytes or more');
s{/etc/nginx/linked-channels}{$m->{dir}/linked}, s{/etc/nginx/mntreamer\.sign}{$m->{dir}/key}
    for $map, $places;
my $conn = $server =~ s/.*(?:limit_req|viewers).*\n//gr =~ s{/recordings/}{/conn/}r;
my $req = $server =~ s/.*(?:limit_conn|limit_rate|viewers).*\n//gr =~ s{/recordings/}{/req/}r;
my $view = $server =~ s/.*limit_.*\n//gr =~ s{/recordings/}{/view/}r;
$places =~ s{/recordings}{/all}g;
@$m{qw(http server)} = ("$http\n$map\n", join "\n", $conn, $req, $view, $places);

for (1, 2) {
    my $dir = "$m->{storage}/hls/$_";
    make_path($dir);
    spew("$dir/000001.ts", 'x' x 8_000_000);
    spew("$dir/000002.ts", 'x' x 80_000);
    spew("$dir/.recording", "recording $_\nplatform hls\nchannel open" . ($_ == 2 && '-not')
         . "\n");
    spew("$dir/index.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n000001.ts\n"
         . "#EXT-X-ENDLIST\n");
}
system('chmod', '-R', 'a+rX', $m->{storage});
system('chown', '-R', 'nobody:nogroup', $m->{storage}) unless $>;
$m->channel(alpha => live => 1, dur => 1);
$m->start;

sub begin {
    my ($path, $agent) = @_;
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', Timeout => 5,
                                  PeerPort => $m->{port}) or die $!;
    print $s "GET $path HTTP/1.1\r\nHost: x\r\nConnection: close\r\n",
        $agent ? "User-Agent: $agent\r\n" : '', "\r\n";
    return $s;
}
sub head {
    my ($s) = @_;
    my $head = '';
    while ($head !~ /\r\n\r\n/) {
        sysread $s, $head, 1, length $head or last;
    }
    return $head;
}
sub status { return head(begin(@_)) =~ m{^HTTP/1\.1 (\d+)} ? $1 : 0 }

# three at a time of one recording; across workers, for each connection may be
# another one's

my $one = '/conn/hls/1/000001.ts';
my @s = map { begin($one) } 1 .. 3;
like(head($_), qr{^HTTP/1\.1 200 }, 'limit_conn: one of three') for @s;
my (%got, $longest);
for (1 .. 40) {
    my $t0 = time;
    my $head = head(begin($one));
    my $took = time - $t0;
    $longest = $took if $took > ($longest // 0);
    $got{$head =~ m{^HTTP/1\.1 (\d+) .*^Retry-After: (\d+)\r}ms ? "$1 after $2" : $head}++;
}
is(join('|', map { "$_ x $got{$_}" } sort keys %got), '429 after 5 x 40',
   'a fourth is refused, by every worker, and told when to come again');
cmp_ok($longest, '<', 1 * $MNT::PATIENCE, '... at once');
unlike(head(begin('/conn/hls/2/index.m3u8')), qr/Retry-After/, 'another recording is not');
is(status('/conn/hls/2/index.m3u8'), 200, '... concerned');
is(status('/recordings/hls/1/000001.ts'), 200, 'nor is another location');

# one breaks in the middle, one is finished

sub again {
    my ($path, $name) = @_;
    return wait_for(sub { my $x = begin($path); head($x) =~ / 200 / && $x }, $name);
}
close shift @s;
my $short = again('/conn/hls/1/000002.ts', 'a broken one frees its place');
is(status($one), 429, '... one place');
my ($bytes, $end) = (0, time + 30 * $MNT::PATIENCE);
while (time < $end) { $bytes += sysread($short, my $b, 65536) || last }
is($bytes, 80_000, 'one is finished');
push @s, again($one, '... and frees its place');
is(status($one), 429, '... one place, too');

# what old workers still send counts for the new ones

$m->reload;
my %seen;
$end = time + 1.5;
while (time < $end) { $seen{status($one)}++; sleep 0.02 }
is(join(' ', keys %seen), '429', 'a reload gives away no place');
close $_ for @s;
wait_for(sub { status($one) == 200 }, 'and when all have left there is room');

# rates

my $r = '/req/hls/1/index.m3u8';
is(join(' ', map { status($r) } 1 .. 6), '200 200 200 200 429 429', 'limit_req: a burst, no more');
like(head(begin($r)), qr/^Retry-After: 5\r/m, '... come again later');
my $t0 = time;
my $slow = begin('/conn/hls/1/000001.ts');
head($slow);
$bytes = 0;
while (time < $t0 + 3) { $bytes += sysread($slow, my $b, 65536) // last }
close $slow;
cmp_ok($bytes, '<', 300_000, 'limit_rate: no faster than that');   # of 8 MB
cmp_ok($bytes, '>', 40_000, '... and no slower');

# viewers: of a crowd that comes at once two are let in, and those two go on

$m->up;
$m->watch('alpha');
my $rec = wait_for(sub { my $l = $m->recordings->[0]; $l && $l->{url} && $l->{segments} > 3 && $l },
                   'a recording in progress', 25);
my $live = $rec->{url} =~ s{^/recordings}{/view}r;
my %crowd = map { $_ => begin($live, "crowd $_") } 1 .. 40;
my %answer = map { $_ => head($crowd{$_}) } keys %crowd;
my @in = grep { $answer{$_} =~ m{^HTTP/1\.1 200 } } sort keys %answer;
is(scalar(@in), 2, 'max_viewers: two of forty');
is(scalar(grep { m{^HTTP/1\.1 429 .*^Retry-After: 10\r\n(?!.*Retry-After)}ms } values %answer),
   38, '... the others are told when to come again, once');
my $watch = sub { join ' ', map { status($live, "crowd $_") } @_ };
is($watch->(@in), '200 200', 'who is in stays');
my %third;
for (1 .. 12) {
    $third{status($live, "other $_")}++;
    $watch->(@in) eq '200 200' or $third{'who watches is refused'}++;
    sleep 0.25;
}
is(join(' ', keys %third), '429', '... and nobody else comes, however often they ask');
is(status($live =~ s/index\.m3u8/000001.ts/r, 'other'), 200, 'segments are not counted');
is(status('/view/hls/1/index.m3u8', 'other'), 200, 'what is over is open');
is(status($rec->{url}, 'elsewhere'), 200, 'and so is another location');
my $left = time;
$m->reload;
wait_for(sub { $watch->($in[0]); status($live, 'dan') == 200 }, 'one leaves: another one comes', 40);
cmp_ok(time - $left, '>', 7, '... but not sooner than it is known');
is($watch->($in[0]), '200', '... also after a reload');
is(status($live, 'eve'), 429, '... and only one');

# a channel that wants links, and one that does not

is(status('/all/hls/1/000001.ts'), 200, 'a channel for everybody');
is(status('/all/hls/2/000001.ts'), 403, 'one for those who have a link');
is(status('/linked/hls/2/000001.ts'), 403, '... which is no way around');
my $link = $m->call(POST => "/api/v1/recordings/$rec->{id}/links", {})->{json};
is(status($link->{url}), 200, 'a link of the API');
is(status("/all/hls/2/000001.ts?token=$link->{token}"), 403, '... is for one recording');
require Digest::SHA;
require MIME::Base64;
my $key = slurp("$m->{dir}/key");
my $id = substr Digest::SHA::hmac_sha256_hex('mntreamer key', $key), 0, 8;
my $at = int(time + 100);
my $mac = MIME::Base64::encode_base64(Digest::SHA::hmac_sha256(
    "mntreamer-1\nGET\nhls/2\n$at\n$id\n", $key), '') =~ tr{+/=}{-_}dr;
is(status("/all/hls/2/000001.ts?token=1.$at.$id.$mac"), 200, 'one for it opens it');

$m->finish;
