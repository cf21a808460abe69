use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;

# ADR 002: the journal says who writes a track. Guards what it leaves open: a
# former writer that was frozen between that check and its rename puts its old
# playlist over the new owner's, whose entries nobody would see; here by hand.

my $m = MNT->new(workers => 1);
$m->channel('epsilon', live => 1, dur => 0.5, window => 6);
$m->start;
$m->up;
$m->watch('epsilon');
my $r = wait_for(sub {
    my $r = $m->recordings->[0];
    $r && $r->{segments} >= 4 && $r
}, 'it records');
my $file = "$m->{storage}/" . substr $r->{url}, length '/recordings/';
ok(-s $file, 'the playlist is there');

my $old = slurp($file);
$old =~ s/(.*\n)#EXTINF.*\z/$1/s;
spew("$file.old", $old);
rename "$file.old", $file or die;
my $n = () = $old =~ /#EXTINF/g;
wait_for(sub { playlist_entries($m->playlist($r)) > $n + 3 },
         'an old one over it is replaced', 10);
unlink $file or die;
wait_for(sub {
    playlist_entries($m->get($r->{url})->{content}) > $n + 5
}, 'so is one that was removed', 10);

my @e = playlist_entries($m->playlist($r));
my %seen;
is(scalar(grep { $seen{ $_->{uri} }++ } @e), 0, 'every entry once');
is($e[$_]{uri}, sprintf('%06d.ts', $_ + 1), 'in order') for 0 .. $#e;
$m->finish;
