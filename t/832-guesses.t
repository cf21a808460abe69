use strict;
use warnings;
use lib 't/lib';
use MNT;
use MNTRTMP;
use Test::More;

# ING-02, S19: who tries stream keys is refused without the database being asked
# after so many of an address; others are admitted, and nobody who is on the air
# is closed by that. A hundred that come at once all begin. What limit_req
# refuses is refused, and no redirect.

my $N = 100;
my $m = MNTRTMP->new(workers => 2, record => 0, hook => 'guesses=10', silence => '60s');
$m->start;
$m->up;
$m->{http_client} = HTTP::Tiny->new(timeout => 10, max_redirect => 0);

my $r = $m->call(POST => '/api/v1/streamers', { items => [
    map { { platform => 'rtmp', channel => "c$_" } } 1 .. $N + 3 ] });
my @id = map { $_->{streamer}{id} } @{ $r->{json}{items} };
my @key = map { $m->key($_) } @id;

sub over { $m->stop; $m->check_log; $m->cleanup }

sub hooks { return $m->metric("mntreamer_rtmp_hooks_total{result=\"$_[0]\"}") }
sub wrong { return map { sprintf 'wrong%06d%s', $_, 'x' x 37 } 1 .. $_[0] }

# a hundred at once

is($m->publishers([@key[0 .. $N - 1]], '--hold 1'), "started:$N",
   'a hundred publishers at once');
is(hooks('begun'), $N, 'were all admitted');
is(hooks('guesses'), 0, 'none was taken for a guesser');
is($m->one('SELECT count(*) FROM broadcast'), $N, 'a hundred broadcasts');
is($m->one('SELECT count(*) FROM broadcast WHERE relay_clientid IS NOT NULL'),
   $N, 'all of them relayed');

# somebody on the air, and a guesser at the same address

my $s = { id => $id[$N], key => $key[$N] };
my $pid = $m->publish($s->{key});
wait_for(sub { $m->on_air($s) }, 'somebody is on the air');
my $name = $m->on_air($s);

is($m->publishers([wrong(30)], '--one-by-one'), 'refused:30',
   'thirty wrong keys are refused');
is(hooks('key'), 10, 'ten by the database');
is(hooks('guesses'), 20, 'the others by us');
is($m->publishers([$key[$N + 1]]), 'refused:1', 'from now on the right one, too');
is(hooks('guesses'), 21, 'without a question');
is($m->publishers([$key[$N + 1]], '--from 127.0.0.2'), 'started:1',
   'but not from another address');
is($m->publishers([wrong(200)]), 'refused:200', 'two hundred at once');
is(hooks('key'), 10, 'of which none is asked about');

my $log = $m->log;
is(scalar(() = $log =~ /RTMP of 127\.0\.0\.1 is refused for a minute/g), 1,
   'it is told once');
cmp_ok(scalar(() = $log =~ /RTMP of 127\.0\.0\.1 refused/g), '<=', 10,
       'and not for each');
ok($m->runs($pid), 'who is on the air goes on');
is($m->on_air($s), $name, 'in the same broadcast');
$m->stop_publisher($pid);
wait_for(sub { !$m->on_air($s) }, 'and its end is known', 20);
is($m->one("SELECT reason FROM broadcast WHERE name = '$name'"), 'stopped',
   'as one');

# passwords are guessed, too; networks of IPv6 have many addresses

sub hook {
    my ($addr, $key, %o) = @_;
    my $body = "app=ingest&addr=$addr&clientid=900&call=publish&name=$key";
    $body .= "&pw=$o{pw}" if $o{pw};
    return $m->{http_client}->post("http://127.0.0.1:$m->{hook_port}/"
        . ($o{path} // 'rtmp'), { content => $body })->{status};
}

$r = $m->call(POST => "/api/v1/streamers/$id[$N + 2]/password");
push @{ $m->{secrets} }, $r->{json}{password};
my %n;
$n{ hook('10.0.0.1', $key[$N + 2], pw => "no$_") }++ for 1 .. 12;
is(join(' ', %n), '403 12', 'wrong passwords');
is(hooks('password'), 10, 'ten by the database');
is(hook('10.0.0.1', $key[$N + 2], pw => $r->{json}{password}), 403,
   'the right one does not help');
is(hook('10.0.0.2', $key[$N + 2], pw => $r->{json}{password}), 302,
   'elsewhere it does');

my $asked = hooks('key');
hook("2001:db8:1:2::$_", 'wrong') for 1 .. 20;
is(hooks('key') - $asked, 10, 'a network of IPv6 counts as one');
$asked = hooks('key');
hook("2001:db8:1:$_\::1", 'wrong') for 11 .. 20;
is(hooks('key') - $asked, 10, 'others apart');
$asked = hooks('key');
hook("::ffff:10.7.0.$_", 'wrong') for 1 .. 20;
is(hooks('key') - $asked, 20, 'IPv4 in IPv6 is no network');
$asked = hooks('key');
hook($_, 'wrong') for (':', '::', '[::1]', 'unix:', '1:2', ('f' x 200) x 15);
is(hooks('key') - $asked, 15, 'whatever the address is');

# it outlives a reload, as all workers share it

my $before = hooks('guesses');
my @old = $m->workers_of;
kill 'HUP', $m->master;
wait_for(sub { my %new = map { $_ => 1 } $m->workers_of;
               %new && !grep { $new{$_} } @old }, 'new workers');
$m->up;
is(hook('2001:db8:1:2::1', 'wrong'), 403, 'still shut out');
is(hooks('guesses'), $before + 1, 'by us');
$m->no_secrets;
over();

# limit_req: 4xx

$m = MNTRTMP->new(workers => 2, record => 0, limit => 'rate=1r/m burst=1');
$m->start;
$m->up;
my @s = map { $m->camera("c$_") } 1 .. 5;
is($m->publishers([map { $_->{key} } @s], '--hold 1'), 'refused:3 started:2',
   'two of five');
is($m->one('SELECT count(*) FROM broadcast'), 2, 'two broadcasts');
my $hooks = MNT::slurp("$m->{dir}/logs/hooks.log");
is(scalar(() = $hooks =~ m{"POST /publish HTTP/1.0" 429}g), 3, 'three times 429');
is(scalar(() = $hooks =~ m{"POST /publish HTTP/1.0" 302}g), 2, 'twice 302');
unlike($hooks, qr{"POST /rtmp HTTP/1.0" 4}, 'the relays passed');
over();

# values

$m = MNTRTMP->new(record => 0, hook => 'guesses=0');
$m->start;
$m->up;
$m->{http_client} = HTTP::Tiny->new(timeout => 10, max_redirect => 0);
hook('10.0.0.1', 'wrong') for 1 .. 50;
is(hooks('key'), 50, 'guesses=0: all are asked about');

for my $bad ('guesses=', 'guesses=x', 'guesses=-1', 'guesses=100001', 'guess=1') {
    my $conf = $m->config =~ s/guesses=0/$bad/gr;
    spew("$m->{dir}/bad.conf", $conf);
    my $out = `$MNT::NGINX -t -p $m->{dir} -e $m->{dir}/logs/bad.log -c $m->{dir}/bad.conf 2>&1`;
    like($out, qr/\[emerg\].*invalid parameter "$bad"/, "refused: $bad");
}
$m->finish;
