use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;

# LIB-02, LIB-07, VOD-05: what is over is confirmed, and deleted: off all lists at
# once, its files within ten seconds, by a runner that a restart does not stop;
# what is protected or in progress is not; to repeat it is harmless.

my $m = MNT->new(workers => 2, mntreamer => 'resume_window 1s;');
my @names = qw(one two three four);
$m->channel($_, live => 1, dur => 0.2, window => 20, target => 1) for @names, 'live';
$m->start;
$m->up;
$m->watch($_) for @names, 'live';
wait_for(sub { 5 == grep { $_->{segments} >= 3 } @{ $m->recordings } }, 'five are recorded', 30);
$m->channel($_, live => 0, stall => 1, endlist => 1) for @names;
wait_for(sub { 4 == grep { $_->{status} eq 'recorded' } @{ $m->recordings } }, 'four are over', 30);

my %r = map { $_->{channel_name} => $_ } @{ $m->recordings };
my $at = sub { "/api/v1/recordings/$r{$_[0]}{id}" };
my $dir = sub { "$m->{storage}/" . ($r{$_[0]}{url} =~ m{^/recordings/(.*)/})[0] };
my $list = sub {
    my ($query) = @_;
    join ' ', sort map { $_->{channel_name} } @{ $m->json("/api/v1/recordings$query")->{items} };
};
my $true = JSON::PP::true();
my $false = JSON::PP::false();

# confirmed

is($m->call(PATCH => $at->('one'), { confirmed => $true })->{json}{status}, 'done', 'confirmed');
is($list->('?status=recorded'), 'four three two', 'it needs no look any more');
is($list->('?status=done'), 'one', 'and is done');
is($m->call(PATCH => $at->('one'), { confirmed => $true })->{status}, 200, 'again: harmless');
my $x = $m->call(PATCH => $at->('one'), { confirmed => $false, protected => $true });
is_deeply([@{ $x->{json} }{qw(status protected)}], ['recorded', $true], 'two things at once');
$x = $m->call(PATCH => $at->('live'), { confirmed => $true, protected => $true });
is($x->{status}, 409, 'not while it is in progress');
is($x->{json}{error}, 'conflict', '... says the error');
ok(!$m->recording($r{live}{id})->{protected}, '... and nothing is changed');
is($m->call(PATCH => $at->('one'), $_)->{status}, 400, 'bad: ' . JSON::PP::encode_json($_))
    for { confirmed => 1 }, { confirmed => undef }, {}, { status => 'done' };

# refused

$x = $m->call(DELETE => $at->('one'));
is($x->{status}, 409, 'a protected one is not deleted');
like($x->{content}, qr/protected/, '... says the answer');
$x = $m->call(DELETE => $at->('live'));
is($x->{status}, 409, 'nor one in progress');
like($x->{content}, qr/in progress/, '... says the answer');
is($m->call(DELETE => '/api/v1/recordings/999999')->{status}, 404, 'there is none');
$x = $m->{http_client}->request('DELETE', $m->url($at->('two')),
                                { headers => { Origin => 'http://evil.example' } });
is($x->{status}, 403, 'nor for a page of others');
is($list->(''), 'four live one three two', 'all are there');

# deleted

spew($dir->('three') . '/notes.txt', 'mine');
for my $name (qw(two three)) {
    is($m->call(DELETE => $at->($name))->{status}, 204, "$name is deleted");
    unlike($list->(''), qr/$name/, 'it is off the list');
}
is($list->('?status=deleted'), 'three two', 'which is asked for by name');
is($m->recording($r{two}{id})->{status}, 'deleted', 'its row stays');
wait_for(sub { !-e $dir->('two') && !-e $dir->('three') . '/index.m3u8' }, 'their files go', 10);
is($m->get($r{two}{url})->{status}, 404, 'nothing is served');
is($m->call(DELETE => $at->('two'))->{status}, 204, 'again: harmless');
wait_for(sub { $m->one("SELECT count(*) FROM media_record WHERE removed_at IS NOT NULL") == 2 },
         'the rows say so');
is(slurp($dir->('three') . '/notes.txt'), 'mine', 'what is no part of a recording stays');

# files that are gone, a restart, and many

MNT::quiet('rm', '-rf', $dir->('four'));
is($m->call(DELETE => $at->('four'))->{status}, 204, 'its files are gone already');
wait_for(sub { $m->one("SELECT removed_at IS NOT NULL FROM media_record
                        WHERE id = $r{four}{id}") eq 't' }, 'that is done, too', 10);
$m->call(PATCH => $at->('one'), { protected => $false });
$m->psql("INSERT INTO media_record (streamer_id, platform, channel_id, channel_name, day,
            sequence, path, epoch, storage, status, ended_at, segments, bytes)
          SELECT NULL, platform, channel_id, 'many', day, 1000 + n, path || '-' || n, epoch,
            storage, 'recorded', now(), segments, bytes
            FROM media_record, generate_series(1, 20) n WHERE id = $r{one}{id}");
my @many = map { { %$_ } } grep { $_->{channel_name} eq 'many' } @{ $m->recordings };
is(scalar @many, 20, 'there are twenty more');
MNT::quiet('cp', '-a', $dir->('one'), $dir->('one') . "-$_") for 1 .. 20;
is($m->call(DELETE => "/api/v1/recordings/$_->{id}")->{status}, 204, 'one of many') for @many;
wait_for(sub { !grep { -e $dir->('one') . "-$_" } 1 .. 20 }, 'all go', 10);
$m->stop;
$m->psql("UPDATE media_record SET status = 'deleted' WHERE id = $r{one}{id}");
ok(-e $dir->('one'), 'one was marked when nginx ended');
$m->start;
wait_for(sub { !-e $dir->('one') }, 'its files go behind the restart', 10);
is($m->recording($r{live}{id})->{status}, 'recording', 'what is on the air is not touched');

$m->finish;
