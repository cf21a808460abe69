use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;

# MON-05 and the states of CHZZK.md 1.7: each case is told apart in the row, the
# API and the metrics, an error is never taken for offline, and the workers go on.

my $m = MNT->new(backoff => '300ms', workers => 2);

my %case = (
    off        => [{ live => 0 },                       'offline', ''],
    adult      => [{ live => 1, adult => 1 },           'live-not-playable', 'adult'],
    region     => [{ live => 1, kr => 1 },              'live-not-playable', 'region'],
    member     => [{ live => 1, membership => 1 },      'live-not-playable', 'membership'],
    hidden     => [{ live => 1, playback => 0 },        'live-not-playable', 'unknown'],
    strange    => [{ state => 'BLOCK' },                'not-live', undef],
);

my %id;
for my $name (sort keys %case) {
    $id{$name} = $m->channel($name, %{ $case{$name}[0] });
}

# channels whose requests fail each in its own way

my %fault = (
    e429  => [{ status => 429, headers => { 'Retry-After' => '1' } }, 'rate-limited'],
    e500  => [{ status => 500, body => '{"code":50001,"message":"x","content":null}',
                type => 'application/json' }, 'transient-error'],
    html  => [{ body => '<html><body>hello</body></html>' }, 'malformed'],
    empty => [{ empty => 1 }, 'malformed'],
    cut   => [{ cut => 20 }, 'transient-error'],
    none  => [{ close => 1 }, 'transient-error'],
    deny  => [{ status => 403, body => '{"code":403,"message":"no"}',
                type => 'application/json' }, 'access-denied'],
    deep  => [{ body => '[' x 5000, type => 'application/json' }, 'malformed'],
    retyped => [{ body => '{"code":200,"message":null,"content":{"status":5}}',
                  type => 'application/json' }, 'malformed'],
    bomb  => [{ gzip => 50_000_000, type => 'application/json' }, undef],
    gone  => [{ status => 404, body => '{"code":404,"message":"x"}',
                type => 'application/json' }, 'unknown-channel'],
);

for my $name (sort keys %fault) {
    $id{$name} = $m->channel($name);
    $m->fault(match => "live-status", times => 0);        # placeholder, no effect
    $m->fault(match => "$id{$name}/live-(status|detail)", times => -1,
              %{ $fault{$name}[0] });
}

$m->{mntreamer} = join "\n", 'poll_rate 200r/s;',
    map { "streamer chzzk $id{$_} name=$_;" } sort keys %id;
$m->start;
$m->up;

my $of = sub {
    my ($name) = @_;
    my ($s) = grep { $_->{channel_id} eq $id{$name} } @{ $m->streamers };
    return $s;
};

for my $name (sort keys %case) {
    my (undef, $outcome, $reason) = @{ $case{$name} };
    my $p = wait_for(sub { my $s = $of->($name); $s && $s->{last_probe} },
                     "$name was probed");
    is($p->{outcome}, $outcome, "$name is $outcome");
    is($p->{reason} // '', $reason, "because of $reason") if $reason;
}

for my $name (sort keys %fault) {
    my $p = wait_for(sub { my $s = $of->($name); $s && $s->{last_probe} },
                     "$name was probed");
    is($p->{outcome}, $fault{$name}[1], "$name is $fault{$name}[1]")
        if $fault{$name}[1];
    isnt($p->{outcome}, 'offline', "$name is never taken for offline");
}

is(scalar @{ $m->recordings }, 0, 'nothing of it makes a recording');

for my $o ('offline', 'live-not-playable', 'not-live', 'malformed',
           'transient-error', 'access-denied', 'unknown-channel')
{
    cmp_ok($m->metric(qq(mntreamer_probes_total{outcome="$o"})) // 0, '>', 0,
           "the metrics count $o");
}

is($of->('retyped')->{last_probe}{reason} =~ /status/ ? 1 : 0, 1,
   'the reason names the field that was wrong');

# on the air is not off it: what is not playable does not climb the ladder

my $probes = sub {
    scalar grep { $_->{path} =~ m{$id{adult}/live-status} } @{ $m->served };
};
wait_for(sub { $probes->() >= 5 }, 'what is not playable is asked about often');
is($of->('adult')->{misses}, 1, '... and does not count as off the air');

is($m->get('/health')->{status}, 200, 'the workers go on serving');

$m->finish;
