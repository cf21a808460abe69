use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;
use Time::HiRes qw(sleep time);

# One directory cannot be written: /health says so as long as it is so, however
# well the others are stored.

plan skip_all => 'only root can take a directory away' if $>;

my $m = MNT->new(workers => 1);
$m->channel($_, live => 1, dur => 0.5, window => 20) for qw(tau rho);
$m->start;
$m->up;
$m->watch($_) for qw(tau rho);
wait_for(sub { 2 == grep { $_->{segments} >= 3 } @{ $m->recordings } }, 'two record');
my ($r) = grep { $_->{channel_name} eq 'tau' } @{ $m->recordings };
my ($other) = grep { $_->{channel_name} eq 'rho' } @{ $m->recordings };
my $dir = "$m->{storage}/" . $m->one("SELECT path FROM media_record WHERE id = $r->{id}");
my ($uid, $gid) = (stat $dir)[4, 5];
my $state = sub { $m->call(GET => '/health')->{json}{disk}{state} };

chown 0, 0, $dir;
chmod 0555, $dir;
wait_for(sub { $state->() eq 'storage_error' }, 'health says so', 20);
my $n = $m->recording($other->{id})->{segments};
my %seen;
my $end = time + 5;
while (time < $end) { $seen{ $state->() }++; sleep 0.05 }
is(join(' ', keys %seen), 'storage_error', 'all the time');
cmp_ok($m->recording($other->{id})->{segments}, '>', $n, 'while the other is stored');
chmod 0750, $dir;
chown $uid, $gid, $dir;
wait_for(sub { $state->() ne 'storage_error' }, 'then no more', 30);

$m->finish;
