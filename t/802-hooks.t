use strict;
use warnings;
use lib 't/lib';
use MNT;
use MNTRTMP;
use Test::More;

# S19, OPS-06: what the hooks answer is 204, the one redirect or 4xx, whatever is
# sent and whatever stands around the location.  nginx-rtmp takes any 3xx for a
# yes.

my $m = MNTRTMP->new(workers => 2, server => <<'END');
        error_page 403 404 405 413 =302 /login;
        location = /login  { return 200 in; }
        location = /strict { mntreamer_rtmp port=1; }
        location = /real   { set_real_ip_from 127.0.0.1;
                             real_ip_header X-Real-IP; mntreamer_rtmp; }
        location = /denied { deny all; error_page 403 = /login;
                             mntreamer_rtmp; }
END
$m->start;
$m->up;

my $s = $m->camera('studio');
my $key = $s->{key};
my $head = 'app=ingest&flashver=x&swfurl=&tcurl=&pageurl=&addr=10.1.2.3';

sub hook {
    my ($form, %o) = @_;
    my $url = "http://127.0.0.1:$m->{port}" . ($o{path} // '/strict');
    return $m->{http_client}->request($o{method} // 'POST', $url,
        { content => $form, headers => { 'Content-Type' =>
          'application/x-www-form-urlencoded', %{ $o{headers} // {} } } });
}

sub status {
    my ($name, $status, @args) = @_;
    my $r = hook(@args);
    is($r->{status}, $status, $name) or diag $r->{content};
    ok(!exists $r->{headers}{location}, "$name: leads nowhere")
        if $status != 302;
    return $r;
}

$m->{http_client} = HTTP::Tiny->new(timeout => 10, max_redirect => 0,
    keep_alive => 0);

# what is no hook

my $good = "$head&clientid=7&call=publish&name=$key&type=live";
status('nothing', 403, '');
status('no fields', 403, '&&&=');
status('no name', 403, "$head&clientid=7&call=publish");
status('no clientid', 403, "$head&call=publish&name=$key");
status('no call', 403, "$head&clientid=7&name=$key");
status('another call', 403, "$head&clientid=7&call=connect&name=$key");
status('a clientid that is no number', 403,
       "$head&clientid=x&call=publish&name=$key");
status('a negative one', 403, "$head&clientid=-1&call=publish&name=$key");
status('a huge one', 403,
       "$head&clientid=99999999999999999999&call=publish&name=$key");
status('a second name', 403, "$good&name=$key");
status('a second name in disguise', 403, "$good&n%61me=$key");
status('a second call', 403, "$good&call=publish_done");
status('a second clientid', 403, "$good&clientid=8");
status('a second address', 403, "$good&addr=1");
status('a NUL', 403, "$good&pw=%00");
status('a broken escape', 403, "$good&pw=%z");
status('a long name', 403, "$head&clientid=7&call=publish&name=" . 'k' x 300);
status('a line in the address', 403,
       "addr=a%0ab&app=x&clientid=7&call=publish&name=$key");
status('a body of 9 KB', 403, $good . '&x=' . 'y' x 9000);
status('a key of another', 403, "$head&clientid=7&call=publish&name=$key" . 'x');
status('SQL', 403, "$head&clientid=7&call=publish&name=' OR 1=1 --");
status("$_ with it", 405, $good, method => $_) for 'PUT', 'PATCH', 'DELETE';
status('GET with it', 405, '', method => 'GET', path => "/strict?$good");
status('a page of another site', 403, $good,
       headers => { Origin => 'http://evil.example' });
status('a page of another site, told otherwise', 403, $good,
       headers => { 'Sec-Fetch-Site' => 'cross-site' });
status('another machine', 403, $good, path => '/real',
       headers => { 'X-Real-IP' => '192.0.2.7' });
is($m->one('SELECT count(*) FROM broadcast'), 0, 'no row of all that');

my %bytes = map { $_ => 1 } 0 .. 255;
srand 7;
my %seen;
for (1 .. 300) {
    my $body = $_ % 2 ? join '', map { chr int rand 256 } 1 .. rand 400
        : join '&', map { (qw(name call addr app clientid pw x))[rand 7] . '='
                          . ('publish', '7', $key, '%', '+', 'play')[rand 6] }
          1 .. 1 + rand 9;
    $seen{ substr hook($body)->{status}, 0, 1 }++;
}
is(join(' ', grep { $_ ne '4' } sort keys %seen), '',
   'three hundred broken ones: 4xx') or diag explain \%seen;
is($m->one('SELECT count(*) FROM broadcast'), 0, 'and no row');

# what is one

my $r = status('the key', 302, $good);
my $name = $m->on_air($s);
is($r->{headers}{location}, "rtmp://127.0.0.1:1/live/$name",
   'leads to the public name');
is($r->{content}, '', 'and says nothing more');
status('a second publisher', 403,
       "$head&clientid=8&call=publish&name=$key&type=live");
status('the same again', 403, $good);
is($m->on_air($s), $name, 'the first goes on');

# nothing was heard of it, but nor was anything else: this nginx has just begun

$m->psql("UPDATE broadcast SET seen_at = now() - interval '1 hour',
          relayed_at = now() - interval '1 hour'");
status('a second publisher of what was not heard of', 403,
       "$head&clientid=8&call=publish&name=$key&type=live");
status('which goes on', 204,
       "$head&clientid=7&call=update_publish&time=1&timestamp=1&name=$key");

my $done = sub { "$head&clientid=$_[0]&call=publish_done&name=$_[1]" };
status('its end', 204, $done->(8, $key));
status('the end of another key', 204, $done->(7, 'x'));
status('it is heard of', 204,
       "$head&clientid=7&call=update_publish&time=1&timestamp=1&name=$key");
is($m->on_air($s), $name, 'ends nothing');
status('one that is not admitted is not', 403,
       "$head&clientid=8&call=update_publish&time=1&timestamp=1&name=$key");

my $relay = sub {
    'app=&flashver=ngx-local-relay&swfurl=&tcurl=&pageurl=&addr=127.0.0.1:'
    . "$_[0]&clientid=9&call=update_play&time=1&timestamp=1&name=" . '5c' x 16
};
status('a relay is', 204, $relay->("1/live/$name"));
status('one of another name is not', 403, $relay->('1/live/' . 'a' x 32));
status('one of somebody else is none of ours', 204, $relay->('2/live/x'));
status('as is a player', 204, "$head&clientid=9&call=update_play&name=$name");
my $live = sub {
    "app=live&flashver=x&swfurl=&tcurl=&pageurl=&addr=127.0.0.1&clientid=$_[0]"
    . "&call=publish&name=$_[1]&type=live"
};
status('the relay arrives', 204, $live->(11, $name));
status('a second one does not', 403, $live->(12, $name));
status('nor one of a name that is not on the air', 403,
       $live->(13, 'b' x 32));
status('nor one of the key', 403, $live->(13, $key));
my $play = sub { "$head&clientid=9&call=play&name=$_[0]&start=0&duration=0" };
status('a player', 204, $play->($name));
status('one of another name', 403, $play->('a' x 32));
status('one of the key', 403, $play->($key));
status('the end of a player', 204, "$head&clientid=9&call=play_done&name=x");
status('a record', 204, "$head&clientid=7&call=record_done&recorder=&"
       . "name=$key&path=/x.flv");

status('the end', 204, $done->(7, $key));
wait_for(sub { !$m->on_air($s) }, 'ends it');
status('a player behind it', 403, $play->($name));
status('an update behind it', 403,
       "$head&clientid=7&call=update_publish&time=1&timestamp=1&name=$key");

# what nginx's own settings make of it stays a no

$r = hook($good, path => '/denied');
unlike($r->{status}, qr/^3/, 'an error_page of a "deny" is no redirect');
is($m->one('SELECT count(*) FROM broadcast'), 1, 'nothing began');

# many at once: one

my @pid = map {
    my $id = 100 + $_;
    my $pid = fork;
    if (!$pid) {
        my $r = HTTP::Tiny->new(max_redirect => 0)->request('POST',
            "http://127.0.0.1:$m->{port}/strict", { content =>
            "$head&clientid=$id&call=publish&name=$key&type=live" });
        POSIX::_exit($r->{status} == 302 ? 1 : $r->{status} == 403 ? 0 : 2);
    }
    $pid;
} 1 .. 12;
my %rc;
for (@pid) { waitpid $_, 0; $rc{ $? >> 8 }++ }
is(join(' ', map { "$_:$rc{$_}" } sort keys %rc), '0:11 1:1',
   'of twelve at once one begins');
is(scalar(@{ $m->psql('SELECT 1 FROM broadcast WHERE ended_at IS NULL') }), 1,
   'one row');

my $hooks = sub { $m->metric("mntreamer_rtmp_hooks_total{result=\"$_[0]\"}") };
is($hooks->('begun'), 2, 'counted: begun');
cmp_ok($hooks->('form'), '>', 15, 'counted: form');
cmp_ok($hooks->('key'), '>=', 2, 'counted: key');
is($hooks->('live'), 14, 'counted: live');
like($m->log, qr/RTMP of 10\.1\.2\.3 refused: the stream key is not known/,
     'the log says who and why');

$m->no_secrets;
$m->finish;
