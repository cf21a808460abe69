use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;

# MON-03: 200 due rows and four workers: each streamer is asked once per due time,
# highest priority first and within it the oldest check_at first; check_at is in
# the future already when the request arrives; claims and results go in batches.

my $m = MNT->new(workers => 4, backoff => '60s', mntreamer => 'poll_rate 40r/s;');
my @id = map { $m->channel(sprintf 'q%03d', $_) } 0 .. 199;
$m->start;
$m->up;

# in an order of their own: priorities 0 to 3 in turn, due times against the ids

my $values = join ',', map {
    my ($priority, $due) = ($_ % 4, 200 - $_);
    "('$id[$_]', $priority, $due)"
} 0 .. 199;

# an answer takes half a second, in which the rows are looked at

$m->fault(match => 'live-status', times => -1, delay => 0.5);
my $statements = $m->metric('mntreamer_db_statements_total');
my $began = time;
$m->psql("BEGIN;
    CREATE TEMP TABLE n (channel text, priority int, due int);
    INSERT INTO n VALUES $values;
    INSERT INTO streamer (platform, channel_id, channel_name, priority)
         SELECT 1, channel, channel, priority FROM n;
    INSERT INTO streamer_monitor (streamer_id, check_at)
         SELECT s.id, now() - make_interval(hours => 1, secs => n.due)
           FROM n JOIN streamer s ON s.channel_id = n.channel;
    NOTIFY mntreamer, 'due'; COMMIT");

my $asked = sub {
    map { $_->{path} =~ m{channels/(\w+)/live-status} ? $1 : () }
        @{ $m->served };
};

for my $n (1, 60, 140) {
    wait_for(sub { $asked->() >= $n }, "$n are asked about");
    my $list = join ',', map { "'$_'" } $asked->();
    is($m->one("SELECT count(*) FROM streamer s JOIN streamer_monitor m
                ON m.streamer_id = s.id WHERE s.channel_id IN ($list)
                AND m.check_at <= now()"), 0,
       '... and due later already, before they answer');
}

wait_for(sub { $asked->() >= 200 }, 'all are asked about');
wait_for(sub { $m->one('SELECT count(*) FROM streamer_monitor
                        WHERE last_outcome IS NOT NULL') == 200 },
         'all results are written');
$statements = $m->metric('mntreamer_db_statements_total') - $statements;

# what each worker looks at all the time takes two a second, and what one of them
# does for the library two more

$statements -= (2 * 4 + 2) * (time - $began);

my @order = $asked->();
my %n;
$n{$_}++ for @order;
is(scalar(keys %n), 200, 'each was asked');
is(scalar(grep { $_ > 1 } values %n), 0, 'once');

# the right place of each; workers ask at once, so neighbours may change places

my %at = map { $id[$_] => $_ } 0 .. 199;
my @want = sort { $b % 4 <=> $a % 4 || $a <=> $b } 0 .. 199;
my %rank = map { $want[$_] => $_ } 0 .. 199;
my ($worst, $sum) = (0, 0);
for my $i (0 .. 199) {
    my $d = abs($rank{ $at{ $order[$i] } } - $i);
    $worst = $d if $d > $worst;
    $sum += $d;
}
cmp_ok($sum / 200, '<', 15, 'by priority and then by age, about')
    or diag "on average $sum / 200, at worst $worst";
cmp_ok($worst, '<', 60, 'nobody is far from his place');

cmp_ok($statements, '<', 250, "claims and results go in batches: $statements");

# later due times: once each again

$m->heal;
$m->tell('/_/log/clear');
$m->psql("BEGIN; UPDATE streamer_monitor SET check_at = now();
          NOTIFY mntreamer, 'due'; COMMIT");
wait_for(sub { $asked->() >= 200 }, 'the next due time');
%n = ();
$n{$_}++ for $asked->();
is(scalar(grep { $_ > 1 } values %n), 0, 'once each');

$m->finish;
