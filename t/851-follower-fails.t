use strict;
use warnings;
use lib 't/lib';
use MNT;
use MNTFollower;
use MNTRTMP;
use Test::More;
use Time::HiRes qw(sleep time);

# ING-07: a follower that fails is tried three times, 500 ms apart; then the
# broadcast is degraded, goes on and is recorded.  Whatever a follower does, the
# others and the event loop do not wait for it.

my %takes = (500 => 0, drop => 0, redirect => 0, hang => 2);   # s of one try
my $f = MNTFollower->new;
my $dead = MNT::free_port();
my $m = MNTRTMP->new(workers => 3, platform => join '', map {
    "follower $_;" } (map { $f->url($_) } sort keys %takes), $f->url('good'),
    $f->url('slow'), "http://127.0.0.1:$dead/nobody");
$f->mode(500 => 500, drop => 'drop', hang => 'hang', slow => 'slow 1.5',
         redirect => 'redirect ' . $f->url('elsewhere'));
$m->start;
$m->up;

my $s = $m->camera('studio');
my $p = $m->publish($s->{key});
my $name = wait_for(sub { $m->on_air($s) }, 'on the air');

for my $who (sort keys %takes) {
    wait_for(sub { $f->heard($who) >= 3 }, "$who is tried three times");
}
wait_for(sub { $m->metric('mntreamer_followers_total{result="degraded"}') == 5 },
         'five are given up, one of them cannot be connected to');

for my $who (sort keys %takes) {
    my @t = $f->heard($who);
    is(scalar(@t), 3, "$who: not more often");
    is(join(' ', map { $_->{id} } @t), join(' ', ("$name-start") x 3),
       '... with the same');
    for my $i (1, 2) {
        my $pause = $t[$i]{at} - $t[$i - 1]{at} - $takes{$who};
        ok($pause >= 0.45 && $pause < 1.2, '... 500 ms apart')
            or diag("$pause s behind try $i");
    }
}
is($f->events('elsewhere'), '', 'a redirect is not followed');
is($m->metric('mntreamer_followers_total{result="again"}'), 10,
   'each was tried again twice');
is($m->one("SELECT string_agg(DISTINCT tries::text, ' ') FROM follow_event"
           . " WHERE outcome = 'failed'"), 3, 'as their rows say');

my ($good) = $f->heard('good');
my $first = ($f->heard('500'))[0]{at};
cmp_ok($good->{at} - $first, '<', 0.5, 'another one did not wait for them');
is($f->events('slow'), 'start', 'who takes its time is told once');

# what becomes of the broadcast

is($m->on_air($s), $name, 'it is on the air');
ok($m->runs($p), 'from its publisher');
my $x = $m->json("/api/v1/streamers/$s->{id}");
ok($x->{is_streaming} && $x->{live}{degraded}, 'the streamer is degraded');
ok($m->json('/api/v1/live')->{items}[0]{degraded}, 'and what is on the air');
my ($r) = wait_for(sub { (grep { $_->{segments} > 2 } @{ $m->recordings })[0] },
                   'it is recorded');
my @lines = grep { /could not be told the start/ } split /\n/, $m->log;
is(scalar(@lines), 5, 'one line of the log for each that was given up');
is(scalar(grep { /\[warn\].*$name/ } @lines), 5, '... names the broadcast');
is(scalar(grep { /HTTP 500/ } @lines), 1, '... and why');

# the loop

my %late;
my $text = $m->get('/metrics')->{content};
$late{$1} = $2 while $text
    =~ /^mntreamer_loop_lateness_seconds_bucket\{le="([^"]+)"\} (\d+)$/mg;
is($late{'+Inf'} - $late{'1.000'}, 0, 'the loop waited for nobody')
    or diag join ' ', %late;

# the end is told to who may have heard of the start

$f->mode(hang => '200');
$m->stop_publisher($p);
wait_for(sub { $f->events($_) =~ /end/ }, "$_ is told the end")
    for 'good', 'slow', 'hang', 'drop';
sleep 1;
is($f->events('good'), 'start end', 'once');
is($f->events('hang'), 'start start start end',
   'a hanging one may have heard of it');
is(scalar(grep { $_->{event} eq 'end' } map { $f->heard($_) } '500', 'redirect'),
   0, 'who said no is not told the end');

# the next one begins anew: what heals is not degraded

$f->mode(map { $_ => 200 } keys %takes);
$f->mode(500 => 'huge', drop => 'body');
my $t = $m->camera('other');
$p = $m->publish($t->{key});
my $next = wait_for(sub { $m->on_air($t) }, 'another broadcast');
wait_for(sub { $f->events($_, $next) eq 'start' }, "$_ hears of it")
    for sort keys %takes;
wait_for(sub { $m->one("SELECT count(*) FROM follow_event WHERE done_at IS NULL"
                       . " AND tries = 0") == 0 }, 'all are settled');
is($f->events($_, $next), 'start', "$_: a body of the answer is of no interest")
    for '500', 'drop';

# an end that fails is settled before the start of what comes behind it

$f->mode(good => 'hang');
$m->stop_publisher($p);
wait_for(sub { grep { $_->{id} eq "$next-end" } $f->heard('good') },
         'its end fails');
$p = $m->publish($t->{key});
my $again = wait_for(sub { my $n = $m->on_air($t); $n && $n ne $next && $n },
                     'it comes back at once');
wait_for(sub { $f->heard('good', $next) >= 4 }, 'the end was tried again');
$f->mode(good => 200);
wait_for(sub { grep { $_->{id} eq "$again-start" } $f->heard('good') },
         'which is told, too');
like($f->events('good', $next), qr/^start end end end start/, 'in this order');

# one that ends while it is being told

my $v = $m->camera('brief');
my $z = $m->publish($v->{key});
my $brief = wait_for(sub { $m->on_air($v) }, 'one more');
wait_for(sub { $f->heard('slow', $brief) }, 'is being told');
$m->stop_publisher($z);
wait_for(sub { $f->events('slow', $brief) eq 'start end' },
         'ends meanwhile, which is told behind it');

# much that one is to be told keeps nobody waiting

wait_for(sub { !$m->one('SELECT count(*) FROM follow_event'
                        . ' WHERE done_at IS NULL') }, 'all are settled', 20);
$f->mode(hang => 'hang');
$m->psql("WITH b AS (INSERT INTO broadcast (name, series, node, clientid,"
    . " silence_ms, ended_at, reason) SELECT md5(n::text), md5(n::text),"
    . " 'x', n, 1000, now(), 'stopped' FROM generate_series(1, 60) n"
    . " RETURNING id) INSERT INTO follow_event (broadcast_id, follower, event,"
    . " required, node, streamer_id, channel) SELECT b.id, '"
    . substr(sha256_of($f->url('hang')), 0, 32) . "', 'end', false,"
    . " 'test-$m->{db}', -b.id, 'x' FROM b");
$m->psql('NOTIFY mntreamer, \'follow\'');
wait_for(sub { grep { $_->{channel} eq 'x' } $f->heard('hang') },
         'one is to be told much, and hangs');
my $u = $m->camera('third');
my $q = $m->publish($u->{key});
my $third = wait_for(sub { $m->on_air($u) }, 'another broadcast');
wait_for(sub { $f->events('good', $third) eq 'start' }, 'is told at once', 2);
cmp_ok($m->one("SELECT count(*) FROM follow_event WHERE event = 'end'"
               . ' AND done_at IS NULL'), '>', 20, '... behind all of it');

$m->psql("UPDATE follow_event SET done_at = now(), outcome = 'failed',"
    . ' owner = NULL, lease_until = NULL WHERE done_at IS NULL');
$m->stop_publisher($_) for $p, $q;
wait_for(sub { !$m->on_air($t) && !$m->on_air($u) }, 'over');
$m->finish;
