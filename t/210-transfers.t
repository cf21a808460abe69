use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;

# REC-01 and RELIABILITY 3.2: what goes wrong with one segment is tried again
# inside the window; what cannot be had becomes a gap with its reason, marked in
# the playlist, and never a broken file.  One channel for each fault, at once.

my $m = MNT->new(workers => 2, mntreamer => 'transfer_timeout 3s; '
                 . 'stall_timeout 2s; poll_rate 200r/s;');

# name => [ fault on the segment with number 6, is it cured, cause ]

my %case = (
    late404   => [{ status => 404, times => 2 }, 1],
    err503    => [{ status => 503, times => 2 }, 1],
    cut       => [{ cut => 5000, times => 2 }, 1],
    reset     => [{ close => 1, times => 2 }, 1],
    empty     => [{ empty => 1, times => 2 }, 1],
    html      => [{ body => '<!DOCTYPE html><html><body>error</body></html>' x 20,
                    times => 2 }, 1],
    noise     => [{ fill => 'noise', times => 2 }, 1],
    noisever  => [{ fill => 'noise', times => -1 }, 0, 'content'],
    lengths   => [{ headers => { 'content-length' => 5 }, times => 2 }, 1],
    endless   => [{ length => '18446744073709551999', times => 1 }, 1],
    chunkcut  => [{ chunked => 1, cut => 3000, times => 1 }, 1],
    forever   => [{ status => 404, times => -1 }, 0, 'network'],
    htmlever  => [{ body => '<html><body>error page</body></html>' x 20,
                    times => -1 }, 0, 'content'],
    gzipped   => [{ gzip => 2000000, times => -1 }, 0, 'content'],
    toomuch   => [{ chunked => 1, headers => { 'Content-Length' => 188 },
                    times => -1 }, 0, 'network'],
    huge      => [{ length => '1000000000000', cut => 100, times => -1 }, 0],
    elsewhere => [{ location => 'http://169.254.169.254/x', times => -1 }, 0],
    fileurl   => [{ location => 'file:///etc/passwd', times => -1 }, 0],
);

for my $name (sort keys %case) {
    $m->channel($name, live => 1, dur => 0.5, window => 8,
                kind => $name eq 'cut' ? 'fmp4' : 'ts');
    $m->fault(match => "/hls/$name/seg/\\w+-0-6\\.", %{ $case{$name}[0] });
}

# one that gives nothing any more: its row must say so meanwhile

$m->channel('dark', live => 1, dur => 0.5, window => 8);
$m->fault(match => '/hls/dark/seg/\\w+-0-([6-9]|\\d\\d+)\\.', status => 404,
          times => -1);

$m->start;
$m->up;
$m->call(POST => '/api/v1/streamers', { items => [
    map { { platform => 'chzzk', channel => $m->channel($_) } }
    sort keys %case, 'dark' ] });

my $of = sub {
    my ($name) = @_;
    my ($r) = grep { $_->{channel_name} && $_->{channel_name} eq $name }
        @{ $m->json('/api/v1/recordings?limit=100')->{items} };
    return $r;
};

for my $name (sort keys %case) {
    my (undef, $cured, $cause) = @{ $case{$name} };
    my $r = wait_for(sub {
        my $r = $of->($name);
        $r && $r->{segments} >= 14 && $r
    }, "$name goes on recording", 30) or next;

    my @e = playlist_entries($m->playlist($r));
    my ($base) = $r->{url} =~ m{^(.*/)};
    my $broken = grep {
        my $b = $m->get($base . $_->{uri});
        !$b->{success} || length($b->{content}) < 10000
    } @e;
    is($broken, 0, "$name: no broken file is listed");

    if ($cured) {
        is($r->{gaps}, 0, "$name: tried again, nothing lost");
        is(scalar(grep { $_->{disc} } @e), 0, "$name: no discontinuity");
        next;
    }

    wait_for(sub { $of->($name)->{gaps} == 1 }, "$name: one gap");
    my $g = $m->recording($r->{id})->{gap_list}[0];
    is($g->{segments}, 1, "$name: of one segment");
    is($g->{first_sequence}, 6, "$name: the right one");
    is($g->{reason}, $cause, "$name: because of $cause") if $cause;
    is(scalar(grep { $_->{disc} || $_->{gap} } @e), 1,
       "$name: marked in the playlist");
}

wait_for(sub {
    my $r = $of->('dark');
    $r && $r->{segments} == 6 && $r->{gaps} == 1 && $r->{lost} > 2
}, 'a gap is counted while it lasts', 15);

# "not found" twice may be a token that is dead: the platform is asked once, and
# not with each try

my $asked = sub {
    my $id = $m->channel($_[0]);
    return scalar grep { $_->{path} =~ /$id.*live-detail/ } @{ $m->served };
};
my $first = $asked->('err503');
is($asked->('late404'), $first + 1, 'fresh URLs are asked for once');
my $dark = $asked->('dark');
cmp_ok($dark, '>', $first, 'also when all is gone');
cmp_ok($dark, '<=', $first + 7, 'now and then');

cmp_ok($m->metric('mntreamer_segment_retries_total'), '>=', 10,
       'retries are counted');
is(scalar(grep { /\.part$/ } file_list($m->{storage})) < 40 ? 1 : 0, 1,
   'parts do not pile up');

$m->finish;
