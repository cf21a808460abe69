use strict;
use warnings;
use lib 't/lib';
use MNT;
use MNTRTMP;
use Test::More;
use Time::HiRes qw(time sleep);

# LIV-05: the image of an own broadcast, also while its recording waits for a
# publisher that may come back, and over a turn of the broadcast.

my $m = MNTRTMP->new(workers => 2, thumbnail => '4s width=160',
                     mntreamer => 'resume_window 30s;');
$m->start;
$m->up;

my $camera = $m->camera('one');
my $p = $m->publish($camera->{key});
my $r = wait_for(sub {
    my ($r) = grep { $_->{thumbnail} } @{ $m->recordings };
    $r;
}, 'there is an image of it');

(my $dir = $r->{url}) =~ s{[^/]+$}{};
is($r->{thumbnail}, "${dir}thumbnail.jpg", 'beside its playlist');

my $x = $m->get($r->{thumbnail});
is($x->{status}, 200, 'is served');
like($x->{content}, qr/^\xff\xd8/, 'and is a JPEG');

my ($live) = grep { ($_->{recording_id} // 0) == $r->{id} }
    @{ $m->json('/api/v1/live')->{items} };
is($live->{thumbnail}, $r->{thumbnail}, 'is told of what is live');

my $file = "$m->{storage}/" . substr $r->{thumbnail}, length '/recordings/';
my $first = (stat $file)[9];
wait_for(sub { ((stat $file)[9] // 0) > $first }, 'is renewed');

# the encoder goes: no image may be older than it may be

$m->stop_publisher($p, 'KILL');
wait_for(sub { $m->get($r->{thumbnail})->{status} == 404 },
         'goes when there is nothing new', 20);
wait_for(sub { !$m->recording($r->{id})->{thumbnail} }, 'which is told');

$p = $m->publish($camera->{key});
wait_for(sub { $m->get($r->{thumbnail})->{status} == 200 },
         'comes back with it');
is(scalar @{ $m->recordings }, 1, 'in the same recording');

$m->stop_publisher($p);
wait_for(sub { $m->recording($r->{id})->{status} eq 'recorded' },
         'the broadcast is over', 60);
is($m->get($r->{thumbnail})->{status}, 404, 'and its image gone');
is(scalar(() = $m->log =~ /no thumbnail/g), 0, 'nothing failed');

$m->finish;
