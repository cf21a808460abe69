use strict;
use warnings;
use utf8;
use lib 't/lib';
use MNT;
use Test::More;

# MON-01: a channel that nginx.conf lists by its id gets its name before it is
# ever on the air.  What fails is asked again later, and the probing goes on.

my $m = MNT->new(workers => 2, backoff => '500ms');
my %id = map { $_ => $m->channel($_) } '가나다', 'beta', 'broken';
$m->fault(match => "/channels/$id{broken}\$", status => 500, times => -1);
$m->{mntreamer} = join ' ', 'poll_rate 50r/s;',
    map({ "streamer chzzk $id{$_};" } '가나다', 'broken'),
    "streamer chzzk $id{beta} name=mine priority=-7;",
    'streamer hls http://127.0.0.1:9/a.m3u8;';
$m->start;
$m->up;

my $of = sub { (grep { $_->{channel_id} eq $id{ $_[0] } } @{ $m->streamers })[0] };
my $asked = sub {
    my ($name) = @_;
    return scalar grep { $_->{path} =~ m{/channels/$id{$name}$} } @{ $m->served };
};

wait_for(sub { ($of->($_)->{channel_name} // '') eq $_ }, "$_ has its name")
    for '가나다', 'beta';
is($of->('beta')->{nickname}, 'mine', 'that of nginx.conf stays beside it');
is($of->('beta')->{priority}, -7, 'so does its priority');
is($of->('beta')->{configured} ? 1 : 0, 1, 'which is configured');
is($of->('beta')->{is_streaming} ? 1 : 0, 0, 'though it never was on the air');
is($asked->($_), 1, 'asked once for') for '가나다', 'beta';

wait_for(sub { $asked->('broken') == 1 }, 'one cannot be told');
wait_for(sub { ($of->('broken')->{misses} // 0) >= 3 },
         'it is watched all the same');
is($of->('broken')->{channel_name}, undef, 'without a name');
is($m->one("SELECT name_tries || ' ' || (name_at > now() + interval '30 s')
              FROM streamer WHERE channel_id = '$id{broken}'"), '1 true',
   'it is asked for again in a minute');
$m->psql("UPDATE streamer SET name_at = now() WHERE channel_name IS NULL");
wait_for(sub { $asked->('broken') == 2 }, 'again', 25);
is($m->one("SELECT name_tries || ' ' || (name_at > now() + interval '2 min')
              FROM streamer WHERE channel_id = '$id{broken}'"), '2 true',
   'then later');
$m->heal;
$m->psql("UPDATE streamer SET name_at = now() WHERE channel_name IS NULL");
wait_for(sub { ($of->('broken')->{channel_name} // '') eq 'broken' },
         'until it is told', 25);

$m->finish;
