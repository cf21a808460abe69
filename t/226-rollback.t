use strict;
use warnings;
use lib 't/lib';
use MNT;
use JSON::PP;
use Test::More;

# RELIABILITY P3, P4: an edge that is not in step shows the window as it was some
# segments ago. Every other load is such a view, for more than fifty of them: each
# segment is stored once, without a discontinuity, a gap or a new epoch.

my $m = MNT->new(workers => 1);
$m->channel('sigma', live => 1, dur => 0.5, window => 8, edges => [0, 3]);
$m->start;
$m->up;
$m->watch('sigma');

my $views = sub {
    return scalar grep { $_->{path} =~ m{/hls/sigma/media/1080p60} }
        @{ $m->served };
};
wait_for(sub { $views->() >= 102 }, 'fifty views and fifty that are rolled back',
         90);
my $r = $m->recordings->[0];
$m->channel('sigma', live => 0, stall => 1, edges => [],
            endlist => JSON::PP::true);
wait_for(sub { $m->recording($r->{id})->{status} eq 'recorded' }, 'it is over', 30);

my $text = $m->playlist($r);
my @e = playlist_entries($text);
my ($dir) = $r->{url} =~ m{^(.*/)};
my %made = map { sha256_of($m->segment('sigma', '1080p60', $_)) => $_ } 0 .. 400;
my @k = map { $made{ sha256_of($m->get($dir . $_->{uri})->{content}) } // 'x' } @e;
is("@k", join(' ', $k[0] .. $k[0] + $#k), 'every segment once, in order');
cmp_ok(scalar @k, '>=', 40, '... many of them');
unlike($text, qr/DISCONTINUITY/, 'no discontinuity');
is($m->recording($r->{id})->{gaps}, 0, 'no gap');
my %times;
$times{$_}++ for map { $_->{path} =~ m{/(seg/\S+)} ? $1 : () } @{ $m->served };
is(join(' ', grep { $times{$_} > 1 } sort keys %times), '', 'fetched once, too');
my $journal = slurp("$m->{storage}/" . $m->one('SELECT path FROM media_record')
                    . '/.index.journal');
my %epoch = map { (split ' ')[5] => 1 } $journal =~ /^(S .*)$/mg;
is(join(' ', keys %epoch), 0, 'one numbering');

$m->finish;
