use strict;
use warnings;
use lib 't/lib';
use MNT;
use MNTRTMP;
use Test::More;

# ING-01, ING-02, ING-05, ING-06, LIV-09, S20, S21: with nginx-rtmp and three
# workers who has the key goes on the air, and nobody else; what viewers see
# says nothing of the key.

my $m = MNTRTMP->new(workers => 3);
$m->start;
$m->up;

my $s = $m->camera('studio');
like($s->{key}, qr/^[0-9a-f]{48}$/, 'a key of 192 bits');

# nobody without it

my @wrong = ('f' x 48, '', substr($s->{key}, 0, 47), uc "$s->{key}x",
             "x?key=$s->{key}");
my @pid = map { $m->publish($_) } @wrong;
$m->ends($_, 'refused without the key') for @pid;
is($m->one('SELECT count(*) FROM broadcast'), 0, 'no row');
is(join(' ', file_list($m->{hls})), '', 'and no file');

# who has it is on the air

my $p = $m->publish($s->{key});
my $name = wait_for(sub { $m->on_air($s) }, 'on the air with the key');
wait_for(sub { $m->segments($name) >= 2 }, 'HLS of its public name');
like($name, qr/^[0-9a-f]{32}$/, 'which is random');
is(join(' ', glob "$m->{hls}/*"), "$m->{hls}/$name", 'and the only one');
is(scalar(@{ $m->psql('SELECT 1 FROM broadcast') }), 1, 'one row');

my $x = $m->json("/api/v1/streamers/$s->{id}");
ok($x->{is_streaming}, 'the streamer says so');
is($x->{live}{broadcast_id}, $name, 'with the public name');
ok($x->{live}{started_at}, 'and since when');
is($x->{next_check_at}, undef, 'nobody is asked about it');
is($x->{last_probe}, undef, 'nor was');
is($m->json('/api/v1/live')->{items}[0]{streamer_id}, $s->{id},
   'it is in the list of those on the air');

# a second one is refused, its end ends nothing

$m->ends($m->publish($s->{key}), 'a second publisher is refused');
my $n = $m->segments($name);
wait_for(sub { $m->segments($name) > $n }, 'the first goes on');
ok($m->runs($p), 'and was not closed');
is($m->on_air($s), $name, 'as the same broadcast');

# what stands behind the key decides nothing

my $v = $m->camera('victim');
my $q = $m->publish("$v->{key}?pw=P&x=1");
my $victim = wait_for(sub { $m->on_air($v) }, 'another one');
@pid = map { $m->publish("$s->{key}?$_") } "pw=P&name=$v->{key}&call=publish_done",
    "name=$v->{key}", 'clientid=1', "n%61me=$v->{key}", 'addr=10.0.0.1';
$m->ends($_, 'refused when it names another one') for @pid;
is($m->on_air($v), $victim, 'which goes on');
is($m->on_air($s), $name, 'as does its own');

# past the hooks there is no way, and none to look at what is sent

@pid = map { $m->publish($m->rtmp("live/$_")) } 'a' x 32, $s->{key}, 'x';
$m->ends($_, 'nobody publishes past the hooks') for @pid;
$m->ends($m->publish($m->rtmp("live/$name")),
         'nor under a name that is on the air');
for ("ingest/$s->{key}", 'live/' . 'a' x 32) {
    my $rc = system('timeout', 5, 'ffprobe', '-v', 'quiet', '-rw_timeout',
                    3000000, $m->rtmp($_));
    isnt($rc, 0, 'RTMP players get nothing of an unknown name');
}
$n = $m->segments($name);
wait_for(sub { $m->segments($name) > $n }, 'what is on the air goes on');
ok($m->runs($p), 'from who has the key');
is(join(' ', sort glob "$m->{hls}/*"),
   join(' ', sort map { "$m->{hls}/$_" } $name, $victim), 'nothing else');

# an encoder that is killed

$m->stop_publisher($p, 'KILL');
wait_for(sub { !$m->on_air($s) }, 'SIGKILL of the encoder ends it', 3);
is($m->one("SELECT reason FROM broadcast WHERE name = '$name'"), 'stopped',
   'as stopped');
ok(!$m->json("/api/v1/streamers/$s->{id}")->{is_streaming}, 'off the air');
is($m->on_air($v), $victim, 'only that one');

# it comes back under another name

$p = $m->publish($s->{key});
my $again = wait_for(sub { $m->on_air($s) }, 'it comes back');
isnt($again, $name, 'under another name');
$m->stop_publisher($p);
wait_for(sub { !$m->on_air($s) }, 'and stops');

$m->stop_publisher($q);
wait_for(sub { !$m->on_air($v) }, 'the other one, too');
is($m->one('SELECT count(*) FROM broadcast'), 3, 'three broadcasts in all');

$m->no_secrets;
$m->finish;
