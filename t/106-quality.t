use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;

# MON-06: "quality" chooses the variant; what is not offered gives the nearest
# below, then the lowest, never a miss.  A change concerns the next recording.

my $m = MNT->new(workers => 2, mntreamer => 'poll_rate 200r/s;');

my %want = (
    best => '1080p60', worst => '360p30', '1080p' => '1080p60',
    '720p60' => '720p60', '720p30' => '720p30', '480p' => '480p30',
    '2160p' => '1080p60', '900p' => '720p60', '1080p30' => '720p60',
    '720p50' => '720p30', '144p' => '360p30', '500p60' => '480p30',
);
my @offered = ('720p30', '1080p60', '360p30', '720p60', '480p30');

$m->channel("q$_", live => 1, dur => 0.5, variants => \@offered,
            token => 600) for sort keys %want;
$m->channel('changed', live => 1, dur => 0.5, variants => \@offered,
            live_id => 7001);
$m->start;
$m->up;
$m->watch("q$_", quality => $_) for sort keys %want;
my $s = $m->watch('changed', quality => '480p');

my $of = sub {
    my ($name) = @_;
    return grep { ($_->{channel_name} // '') eq $name }
        @{ $m->json('/api/v1/recordings?limit=100')->{items} };
};
my $fetched = sub {
    my ($name) = @_;
    my %v = map { $_->{path} =~ m{^/hls/$name/seg/(\w+?)-} ? ($1 => 1) : () }
        @{ $m->served };
    return join ' ', sort keys %v;
};

for my $q (sort keys %want) {
    wait_for(sub { my ($r) = $of->("q$q"); $r && $r->{segments} >= 2 },
             "$q is recorded");
    is($fetched->("q$q"), $want{$q}, "$q takes $want{$q}");
    my ($r) = $of->("q$q");
    like($r->{quality}, qr/^\Q$want{$q}\E$|^\Q$q\E$/, 'as its row says');
}

# relative addresses and the tokens in their queries are kept

my @bare = grep { $_->{path} =~ m{^/hls/q} && $_->{path} !~ /hdnts=/ }
    @{ $m->served };
is(scalar @bare, 0, 'every request has the token of its address')
    or diag $bare[0]{path};
is(scalar(grep { $_->{path} =~ m{^/hls/q\w+/(?:seg/|media/).*\.\w+\?} }
          @{ $m->served }) > 20 ? 1 : 0, 1, 'which is in the query');

# PATCH: this recording stays as it is, the next one is different

my ($r) = $of->('changed');
is($m->call(PATCH => "/api/v1/streamers/$s->{id}", { quality => '720p60' })
   ->{status}, 200, 'the quality is changed');
my $n = ($of->('changed'))[0]{segments};
wait_for(sub { ($of->('changed'))[0]{segments} >= $n + 3 }, 'it goes on');
is($fetched->('changed'), '480p30', 'the recording in progress keeps its own');
is(scalar($of->('changed')), 1, 'and is still the one');

$m->channel('changed', live => 0, endlist => \1, stall => 1);
wait_for(sub { ($of->('changed'))[0]{status} eq 'recorded' }, 'it ends', 32);
$m->tell('/_/log/clear');
$m->channel('changed', live => 1, endlist => \0, stall => 0, live_id => 7002);
wait_for(sub {
    my @r = $of->('changed');
    @r == 2 && $r[0]{segments} >= 2
}, 'the next broadcast is recorded', 20);
is($fetched->('changed'), '720p60', 'in the new quality');

$m->finish;
