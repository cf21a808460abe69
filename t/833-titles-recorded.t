use strict;
use warnings;
use lib 't/lib';
use MNT;
use MNTRTMP;
use Test::More;
use Time::HiRes qw(sleep);

# CHN-02, LIV-08: an own broadcast that is really recorded is called as its
# channel, in the recording, its history and the list, whose playlist is the
# recording's; while facts are gathered every second no title comes back.

my $m = MNTRTMP->new(workers => 2, mntreamer => 'refresh 1s;');
$m->start;
$m->up;

my $s = $m->camera('studio');
my $api = "/api/v1/streamers/$s->{id}";
$m->call(PATCH => $api, { title => 'first', category => 'c' });
my $pid = $m->publish($s->{key});
wait_for(sub { ($m->json("/api/v1/live/$s->{id}")->{url} // '') }, 'recorded', 30);
my $live = $m->json("/api/v1/live/$s->{id}");
is("$live->{title} $live->{category}", 'first c', 'on the air as it is called');
my $url = "/api/v1/recordings/$live->{recording_id}?files=0";
is($m->get($live->{url})->{status}, 200, 'its playlist is there');
is($m->json($url)->{title}, 'first', 'recorded as it is called');

for my $i (1 .. 12) {
    $m->call(PATCH => $api, { title => "t$i" });
    is($m->json($url)->{title}, "t$i", "t$i at once");
    sleep 0.3;
}
$m->call(PATCH => $api, { title => '', category => '' });
sleep 3;
my $r = $m->json($url);
is($r->{title}, undef, 'taken back it does not come back');
is(join(' ', map { $_->{title} // '-' } @{ $r->{title_history} }),
   join(' ', 'first', (map { "t$_" } 1 .. 12), '-'), 'the history, each once');

$m->call(PATCH => $api, { title => 'last' });
$m->stop_publisher($pid);
wait_for(sub { $m->json($url)->{status} eq 'recorded' }, 'over', 40);
is($m->json($url)->{title}, 'last', 'its title stays');
$m->call(PATCH => $api, { title => 'of the next one' });
is($m->json($url)->{title}, 'last', 'also when the next one is called otherwise');
$m->no_secrets;
$m->finish;
