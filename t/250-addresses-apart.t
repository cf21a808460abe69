use strict;
use warnings;
use lib 't/lib';
use MNT;
use Digest::SHA qw(sha256_hex);
use Test::More;

# Two addresses that differ only in what is hidden have directories of their
# own, even when somebody made them alike, and nothing of the hidden can be tried
# out against their names.

my $m = MNT->new(workers => 1, mntreamer => 'poll_rate 200r/s;');
$m->channel('cam', dur => 0.5);
$m->start;
$m->up;

# the hash of 32 bits that names had: two tokens for which it is the same

sub fnv {
    my ($h, $text) = @_;
    use integer;
    $h = (($h ^ ord) * 0x1b3) & 0xffffffff for split //, $text;
    return $h;
}
my $base = "http://127.0.0.1:$m->{origin_port}/hls/cam/media/720p30.m3u8?t=";
my $begun = fnv(0x84222325, $base);
my (%token, @token);
for (my $i = 0; !@token; $i++) {
    my $h = fnv($begun, $i);
    @token = ($token{$h}, $i) if defined $token{$h};
    $token{$h} = $i;
}
is(fnv($begun, $token[0]), fnv($begun, $token[1]), "tokens @token are alike");

is($m->call(POST => '/api/v1/streamers',
            { platform => 'hls', channel => "$base$_", name => "t$_" })->{status},
   201, 'an address is added') for @token;
wait_for(sub { 2 == grep { $_->{segments} >= 2 } @{ $m->recordings } },
         'both are recorded');

my %dir;
for my $row (@{ $m->psql('SELECT channel_id, path, mntreamer_channel(channel_id)
                          FROM media_record') }) {
    my ($url, $path, $shown) = @$row;
    my (undef, $name) = split m{/}, $path;
    $dir{$name} = 1;
    like($name, qr/^http___127\.0\.0\.1_.*_-[0-9a-f]{32}$/,
         'a directory shows what may be seen');
    my ($mark) = $name =~ /-([0-9a-f]+)$/;
    is(substr($mark, 0, 8), (split /#/, $shown)[1], 'its mark is that of the API');
    isnt($mark, substr(sha256_hex($url), 0, 32), 'which has a key');
    is(index($name, sprintf('%08x', fnv(0x84222325, $url))), -1,
       'no hash of the address can be tried out');
    ok(-e "$m->{storage}/$path/index.m3u8", 'and it is used');
}
is(scalar keys %dir, 2, 'there are two');
like($m->get($_->{url})->{content}, qr/#EXTM3U/, 'served') for @{ $m->recordings };

$m->finish;
