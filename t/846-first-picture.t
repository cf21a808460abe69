use strict;
use warnings;
use lib 't/lib';
use MNT;
use MNTRTMP;
use Test::More;

# LIV-01, U13: an encoder that sends its first key frame sooner than the relay
# stands has a first fragment without a picture to begin with.  It is left out:
# hls.js would never show a picture.  What has no picture at all is kept whole.

my $m = MNTRTMP->new(workers => 3, fragment => '750ms');
$m->start;
$m->up;

my $clip = MNTRTMP::clip();
my %s = map { $_ => $m->camera($_) } qw(early sound silent);
my %with = (early => [], sound => [qw(--only audio)],
            silent => [qw(--only video)]);
my %p = map { $_ => $m->speaker($_, 'play', '--seconds', 5, @{ $with{$_} },
                                $clip, $m->rtmp("ingest/$s{$_}{key}")) }
    keys %s;
$m->ends($p{$_}, "$_ was sent", 20) for sort keys %p;

my %of;
wait_for(sub {
    %of = map { $_->{channel_id} => $_ } @{ $m->recordings };
    return keys %of == keys %s
           && !grep { $_->{status} ne 'recorded' } values %of;
}, 'all are recorded', 20);

sub first_of {
    my ($k, $type) = @_;
    my ($e) = playlist_entries($m->playlist($of{$k}));
    my ($dir) = $of{$k}{url} =~ m{^(.*)/};
    return split ' ', `ffprobe -v error -select_streams $type -show_entries \\
        packet=pts_time,flags -of csv=p=0 @{[ $m->url("$dir/$e->{uri}") ]}`;
}

for my $k (sort keys %s) {
    is($of{$k}{gaps}, 0, "$k: no gap");
    my @e = playlist_entries($m->playlist($of{$k}));
    cmp_ok(scalar(@e), '>=', 4, 'all of it');
    ok(!$e[0]{disc}, 'that begins plainly');
    is($e[0]{uri}, '000001.ts', 'with number 1');
    my ($v) = first_of($k, 'v');
    like($v // '', qr/K/, 'the first segment begins with a key frame')
        if $k ne 'sound';
}
my ($a) = split /,/, (first_of('sound', 'a'))[0] // '';
cmp_ok($a, '<', 1.2, 'sound alone from its first second on');

# one that comes back, too: behind a discontinuity

$p{early} = $m->speaker('again', 'play', '--seconds', 4, $clip,
                        $m->rtmp("ingest/$s{early}{key}"));
$m->ends($p{early}, 'it came back and went', 20);
wait_for(sub { $m->recording($of{early}{id})->{segments}
               > $of{early}{segments} + 1
               && $m->recording($of{early}{id})->{status} eq 'recorded' },
         'and is recorded');
my @e = playlist_entries($m->playlist($of{early}));
my @d = grep { $e[$_]{disc} } 0 .. $#e;
is("@d", $of{early}{segments}, 'behind a discontinuity');
is(`ffmpeg -v error -nostdin -i @{[ $m->url($of{early}{url})
    ]} -f null - 2>&1`, '', 'all of it plays');
is($m->recording($of{early}{id})->{gaps}, 0, 'without a gap');
wait_for(sub { !glob "$m->{hls}/*" }, 'no live file is left');
like($m->log, qr/begins with its first picture/, 'what was left out is told')
;
$m->finish;
