use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;

# DESIGN 8: secrets appear in no log and in no URL. The channel of platform "hls"
# is an address, often a signed one: what its query says is neither logged nor
# part of the directory that viewers see, and no answer of the API holds it.

my $m = MNT->new(workers => 1);
$m->channel('signed', live => 1, dur => 0.5, window => 6);
my $base = "http://127.0.0.1:$m->{origin_port}/hls/signed";
$m->{mntreamer} .= "streamer hls $base/media/720p30.m3u8?token=s3cr3t01;"
    . "streamer hls $base/media/720p30.m3u8?token=s3cr3t02;"
    . "streamer hls $base/media/720p30.m3u8?token=s3cr3t02&gone=1;";
$m->start;
$m->up;
wait_for(sub { 3 == grep { $_->{segments} >= 2 } @{ $m->recordings } },
         'three are recorded');
my %dir = map { ($_->{url} =~ m{^/recordings/(hls/[^/]+)/})[0] => 1 }
    @{ $m->recordings };
is(scalar keys %dir, 3, 'each in a directory of its own')
    or diag explain [keys %dir];
unlike($_->{url}, qr/s3cr3t/, 'no secret in its address') for @{ $m->recordings };
ok(-s "$m->{storage}/" . substr($_->{url}, length '/recordings/'), 'it is there')
    for @{ $m->recordings };
unlike($m->log, qr/s3cr3t/, 'nor in the log');
like($m->log, qr{started "hls/http://[^"]+\?\.\.\.}, 'which tells the rest');


# no answer tells it, and yet they can be told apart and changed

my %all = map { $_ => $m->get($_)->{content} } '/api/v1/streamers',
    '/api/v1/recordings', '/api/v1/live', '/metrics', '/health',
    map({ "/api/v1/streamers/$_->{id}" } @{ $m->streamers }),
    map({ "/api/v1/recordings/$_->{id}" } @{ $m->recordings });
unlike($all{$_}, qr/s3cr3t|gone=1/, "nor in $_") for sort keys %all;

my @s = @{ $m->streamers };
my %shown = map { $_->{channel_id} => $_->{id} } @s;
is(scalar keys %shown, 3, 'three that can be told apart');
like($_, qr{^\Q$base\E/media/720p30\.m3u8\?\.\.\.#[0-9a-f]{8}$}, 'host and path')
    for keys %shown;
is(join(' ', sort map { $_->{channel_id} } @{ $m->recordings }),
   join(' ', sort keys %shown), 'recordings show the same');
is(join(' ', sort map { $_->{channel_id} }
        @{ $m->json('/api/v1/live')->{items} }),
   join(' ', sort keys %shown), 'and what is live');

my $esc = sub { $_[0] =~ s/([^A-Za-z0-9])/sprintf '%%%02X', ord $1/ger };
my $found = sub {
    my ($list, $arg) = @_;
    return join ' ', map { $_->{channel_id} }
        @{ $m->json("/api/v1/$list?$arg")->{items} };
};
for my $shown (sort keys %shown) {
    is($found->($_, 'channel_id=' . $esc->($shown)), $shown,
       "found in $_ by what is shown") for 'streamers', 'recordings';
}
isnt($found->($_, 'channel_id='
              . $esc->("$base/media/720p30.m3u8?token=s3cr3t01")), '',
     "and in $_ by its address") for 'streamers', 'recordings';
is($found->($_, 'q=s3cr3t'), '', "no search in $_ guesses it")
    for 'streamers', 'recordings';
isnt($found->($_, 'q=720p30'), '', "one in $_ for what is shown finds it")
    for 'streamers', 'recordings';

my $r = $m->call(POST => '/api/v1/streamers',
                 { platform => 'hls',
                   channel => "$base/hdntl=s3cr3t03/x.m3u8?a=s3cr3t04" });
is($r->{status}, 201, 'one is added');
like($r->{json}{channel_id}, qr{^\Q$base\E/\.\.\./x\.m3u8\?\.\.\.#\w{8}$},
     'the answer does not repeat what was given');
unlike($r->{content}, qr/s3cr3t/, 'anywhere');
$r = $m->call(PATCH => "/api/v1/streamers/$r->{json}{id}", { nickname => 'cam' });
is($r->{status}, 200, 'changed by its id');
unlike($r->{content}, qr/s3cr3t/, 'nor this answer');
is($m->call(DELETE => "/api/v1/streamers/$r->{json}{id}")->{status}, 204,
   'deleted by its id');
$r = $m->call(POST => '/api/v1/streamers',
              { platform => 'hls', channel => 'http://plain.example/a.m3u8' });
is($r->{json}{channel_id}, 'http://plain.example/a.m3u8',
   'what hides nothing is shown whole');
$r = $m->call(POST => '/api/v1/streamers',
              { platform => 'hls', channel => 'http://u:s3cr3t@a.example/a.m3u8' });
unlike($r->{content}, qr/s3cr3t/, 'a refusal does not tell it either');
$m->psql("INSERT INTO streamer (platform, channel_id, monitored)
          VALUES (2, 'https://u:s3cr3t05\@b.example/a', false)");
unlike($m->get('/api/v1/streamers')->{content}, qr/s3cr3t/, 'nor one by hand');
unlike($m->log, qr/s3cr3t0/, 'and still none in the log');

is($_->{configured} ? 1 : 0, $_->{source} eq 'config' ? 1 : 0,
   'configured: in nginx.conf') for @{ $m->streamers };

$m->finish;
