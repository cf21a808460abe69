use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;

# RELIABILITY G6: a body that nobody can play whatever it is (one byte, half a
# packet, packets out of step) is no segment: tried again, then a gap of content.

my $m = MNT->new(workers => 1);
$m->channel($_, live => 1, dur => 0.5, window => 8) for qw(tau rho);
$m->channel('rho', kind => 'fmp4');

# the first answers are bad, the next one is good

my %once = (5 => 'G', 6 => 'x', 7 => "G\x1f\x7f\x10" . 'y' x 150,
            8 => "G\x1f\x7f\x10" . "\x01y" x 500);
for my $n (sort keys %once) {
    $m->fault(match => "/hls/tau/seg/\\w+-0-$n\\.", body => $once{$n},
              type => 'video/MP2T', times => 1);
}
$m->fault(match => '/hls/rho/seg/\w+-0-6\.', body => "\0\0\0", type => 'video/mp4',
          times => 1);

# never good

$m->fault(match => '/hls/tau/seg/\w+-0-11\.', body => 'G', type => 'video/MP2T',
          times => -1);
# of no known kind, when the kind of the track is known: by the next worker, too

$m->channel('sigma', live => 1, dur => 0.5, window => 8);
$m->fault(match => '/hls/sigma/seg/\w+-0-([1-3][0-9])\.', body => "\x01\x82y" x 500,
          type => 'video/MP2T', times => -1);
$m->start;
$m->up;
$m->watch($_) for qw(tau rho sigma);
wait_for(sub {
    my ($r) = grep { $_->{channel_name} eq 'tau' } @{ $m->recordings };
    $r && $r->{segments} >= 14 && @{ $m->recording($r->{id})->{gap_list} }
}, 'it records', 40);

for my $name (qw(tau rho)) {
    my ($r) = grep { $_->{channel_name} eq $name } @{ $m->recordings };
    my @e = playlist_entries($m->playlist($r));
    my ($dir) = $r->{url} =~ m{^(.*/)};
    my %made = map { sha256_of($m->segment($name, '1080p60', $_)) => $_ } 0 .. 99;
    my @k = map { $made{ sha256_of($m->get($dir . $_->{uri})->{content}) } // 'x' } @e;
    my @want = grep { $name eq 'rho' || $_ != 11 } $k[0] .. $k[-1];
    is("@k", "@want", "$name: every segment is what was sent");
    my @g = @{ $m->recording($r->{id})->{gap_list} };
    is(join(' ', map { "$_->{reason} $_->{segments}" } @g),
       $name eq 'tau' ? 'content 1' : '', "$name: its gaps");
}

my ($r) = grep { $_->{channel_name} eq 'sigma' } @{ $m->recordings };
my $lost = sub { my ($l) = @{ $m->psql("SELECT coalesce(sum(segments), 0)"
    . " FROM media_gap WHERE recording_id = $r->{id}") }; $l->[0] };
wait_for(sub { $lost->() >= 2 }, 'sigma: it loses some', 30);
my $before = $lost->();
$m->reload;
wait_for(sub { $lost->() > $before }, 'sigma: and more after a reload', 30);
wait_for(sub { $m->get($m->recording($r->{id})->{url})->{content} =~ /\S/
               && $m->recording($r->{id})->{segments} >= 14 }, 'sigma: goes on', 40);
my ($dir) = $r->{url} =~ m{^(.*/)};
my %made = map { sha256_of($m->segment('sigma', '1080p60', $_)) => $_ } 0 .. 199;
is(scalar(grep { !exists $made{ sha256_of($m->get($dir . $_->{uri})->{content}) } }
          playlist_entries($m->playlist($r))), 0, 'sigma: every segment is media');

$m->finish;
