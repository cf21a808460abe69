use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;

# RELIABILITY B6: deadlocks and serialization failures are tried again: neither
# who uses the API nor a recording notices.

my $m = MNT->new(workers => 2, backoff => '300ms',
                 mntreamer => 'poll_rate 400r/s;');
my @id = map { $m->channel("w$_") } 1 .. 20;
$m->channel('good', live => 1, dur => 0.5, window => 8);
$m->start;
$m->up;
$m->watch('good');
$m->call(POST => '/api/v1/streamers', { items => [
    map { { platform => 'chzzk', channel => $_ } } @id ] });
wait_for(sub { $m->recordings->[0] }, 'it records');

# one write of a table in fifty is the victim of each

$m->psql(q{CREATE FUNCTION victim() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE chance float := random();
    BEGIN
        IF chance < 0.02 THEN
            RAISE EXCEPTION 'could not serialize' USING ERRCODE = '40001';
        ELSIF chance < 0.04 THEN
            RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '40P01';
        END IF;
        RETURN NULL;
    END $$});
$m->psql("CREATE TRIGGER victim AFTER INSERT OR UPDATE OR DELETE ON $_
          FOR EACH STATEMENT EXECUTE FUNCTION victim()")
    for qw(streamer streamer_monitor media_record media_gap);

my %status;
my @s = map { $_->{id} } @{ $m->json('/api/v1/streamers?limit=100')->{items} };
for my $i (1 .. 150) {
    my $r = $m->call(PATCH => "/api/v1/streamers/$s[$i % @s]",
                     { priority => $i });
    $status{ $r->{status} }++;
}
for (1 .. 10) {
    my $r = $m->call(DELETE => "/api/v1/streamers/$s[-1]");
    $status{ $r->{status} }++;
    $r = $m->call(POST => '/api/v1/streamers',
                  { platform => 'chzzk', channel => $id[0] });
    $status{"added $r->{status}"}++;
}
my $victims = () = $m->log =~ /failed, 40(?:001|P01)/g;
my $asked = () = $m->log =~ /"api_\w+" failed, 40(?:001|P01)/g;
cmp_ok($victims, '>', 10, "$victims statements were victims");
cmp_ok($asked, '>', 0, "$asked of the API");
is(join(' ', grep { /5\d\d/ } sort keys %status), '', 'nobody noticed');

my $n = $m->recordings->[0]{segments};
wait_for(sub { $m->recordings->[0]{segments} > $n + 4 }, 'the recording goes on');
is($m->recordings->[0]{gaps}, 0, 'without a gap');
is(scalar @{ $m->recordings }, 1, 'as one');

$m->finish;
