use strict;
use warnings;
use utf8;
use lib 't/lib';
use MNT;
use Test::More;

# REC-01: what the source lists is stored byte for byte, plays from its first
# segment while it grows, and ends with ENDLIST within 30 s of the stream's end.

for my $kind ('ts', 'fmp4') {
    my $m = MNT->new;
    my $name = "alpha$kind";

    $m->channel($name, kind => $kind, live => 1, dur => 0.5, window => 6);
    $m->start;
    $m->up;
    my $s = $m->watch($name);

    my $r = wait_for(sub {
        my $r = $m->recordings->[0];
        $r && $r->{segments} >= 4 && $r
    }, "$kind: a recording grows");

    is($r->{status}, 'recording', 'it is in progress');
    is($r->{channel_id}, $s->{channel_id}, 'of the channel');
    is($r->{channel_name}, $name, 'with its name');
    like($r->{title}, qr/방송 \Q$name\E/, 'and title') or diag explain $r;

    my $res = $m->get($r->{url});
    is($res->{status}, 200, 'the playlist is served');
    is($res->{headers}{'content-type'}, 'application/vnd.apple.mpegurl',
       'with its type');
    like($res->{headers}{'cache-control'}, qr/no-cache/, 'not to be cached');
    my $text = $res->{content};
    like($text, qr/^#EXTM3U\n/, 'it is a playlist');
    like($text, qr/^#EXT-X-PLAYLIST-TYPE:EVENT$/m, 'of type EVENT');
    unlike($text, qr/ENDLIST/, 'that has not ended');

    # more appears below the same address

    my $n = playlist_entries($text);
    wait_for(sub { playlist_entries($m->playlist($r)) > $n + 2 }, 'it grows');

    $m->channel($name, live => 0, stall => 1);
    my $t0 = time;
    wait_for(sub { $m->playlist($r) =~ /^#EXT-X-ENDLIST$/m },
             'ENDLIST closes it', 32);
    cmp_ok(time - $t0, '<=', 30, 'within 30 s of the end');

    wait_for(sub { $m->recording($r->{id})->{status} eq 'recorded' },
             'its state says so');
    $r = $m->recording($r->{id});
    ok($r->{ended_at}, 'with the time of the end');
    is($r->{gaps}, 0, 'nothing was lost');

    # every byte against what the origin makes of its seed

    my @e = playlist_entries($m->playlist($r));
    is(scalar @e, $r->{segments}, 'the row counts what the playlist lists');
    my ($same, $bytes) = (0, 0);
    my ($base) = $r->{url} =~ m{^(.*/)};
    my %whole = map { $_->{sha256} ? ($_->{sha256} => 1) : () } @{ $m->served };
    for my $e (@e) {
        my $b = $m->get($base . $e->{uri})->{content};
        $same++ if $whole{ sha256_of($b) };
        $bytes += length $b;
    }
    is($same, scalar @e, 'every stored segment is one that the origin sent');
    cmp_ok($r->{bytes}, '>=', $bytes, 'the row counts the bytes');

    # and each once, in order, from the first that was published

    my @sent = map { ($_->{path} // '') =~ m{/seg/1080p60-0-(\d+)\.}
                     && $_->{whole} ? $1 : () } @{ $m->served };
    my %seen;
    $seen{$_}++ for @sent;
    is(scalar(grep { $_ > 1 } values %seen), 0, 'none was fetched twice');
    is(scalar(keys %seen), scalar @e, 'each that was fetched is listed');

    if ($kind eq 'fmp4') {
        my $init = $m->get($base . $e[0]{map})->{content};
        ok($whole{ sha256_of($init) }, 'the initialisation section is the same');
    }

    my ($dir) = $base =~ m{^/recordings/(.*)/$};
    my @files = file_list("$m->{storage}/$dir");
    is(scalar(grep { /\.part$/ } @files), 0, 'no .part is left');

    is(scalar(grep { ($_->{ua} // '') =~ /^$/ } @{ $m->served }), 0,
       'every request had a User-Agent');

    ok($m->stop, 'nginx ends by itself');
    $m->check_log;
    $m->cleanup;
}

done_testing();
