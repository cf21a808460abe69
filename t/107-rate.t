use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;

# MON-07: all workers together never send more than poll_rate requests in any
# second; MON-03: each streamer once per due time.

my $m = MNT->new(workers => 4, backoff => '20s',
                 mntreamer => 'poll_rate 20r/s;');
my @id = map { $m->channel(sprintf 'c%03d', $_) } 1 .. 100;
$m->{mntreamer} .= join '', map { "streamer chzzk $_;\n" } @id;
$m->start;

my $asked = sub { grep { $_->{path} =~ /live-status/ } @{ $m->served } };

wait_for(sub { $asked->() >= 100 }, 'all were asked', 20);

my @t = map { $_->{t} } $asked->();
my $worst = 0;
for my $i (0 .. $#t) {
    my $n = grep { $_ >= $t[$i] && $_ < $t[$i] + 1 } @t;
    $worst = $n if $n > $worst;
}
cmp_ok($worst, '<=', 20, 'never more than 20 in any second');

my %n;
$n{ $_->{path} }++ for $asked->();
is(scalar(keys %n), 100, 'each streamer was asked');
is(scalar(grep { $_ > 1 } values %n), 0, 'and each once');

# 429 stops all workers for as long as Retry-After says

$m->tell('/_/log/clear');
$m->psql('UPDATE streamer_monitor SET check_at = now()');
$m->psql("NOTIFY mntreamer, 'due'");
$m->fault(match => 'live-status', status => 429,
          headers => { 'Retry-After' => '4' });
wait_for(sub { grep { ($_->{status} // 0) == 429 } @{ $m->served } },
         'a 429 was answered');
my ($t429) = map { $_->{t} } grep { ($_->{status} // 0) == 429 } @{ $m->served };

# and they sleep meanwhile

sub switches {
    my $n = 0;
    for ($m->workers_of) {
        my ($v) = (slurp("/proc/$_/status") // '')
            =~ /^voluntary_ctxt_switches:\s+(\d+)/m;
        $n += $v // 0;
    }
    return $n;
}
sleep 1;
my $before = switches();
sleep 2;
my $woken = switches() - $before;
note("woken $woken times in 2 s");
cmp_ok($woken, '<', 170 * $MNT::PATIENCE, 'four workers sleep during the pause');

wait_for(sub { grep { $_->{t} > $t429 + 0.5 } $asked->() },
         'asking goes on later', 10);
my ($next) = grep { $_ > $t429 + 0.3 } map { $_->{t} } $asked->();
cmp_ok($next - $t429, '>=', 3.8, 'Retry-After was obeyed by all workers');

$m->finish;
