use strict;
use warnings;
use lib 't/lib';
use MNT;
use JSON::PP;
use Test::More;

# A recording that ends while the database is away, which comes back without its
# row: there is one again, for the same files, once, and its streamer counts it.

my $m = MNT->new(workers => 2, mntreamer => 'refresh 1s; lease 3s;');
$m->channel('iota', live => 1, dur => 0.5, window => 6);
$m->start;
$m->up;
$m->watch('iota');
my $r = wait_for(sub {
    my $r = $m->recordings->[0];
    $r && $r->{segments} >= 3 && $r
}, 'it records');
my ($path) = $r->{url} =~ m{^/recordings/(.*)/};

my $rename = sub {
    my ($from, $to) = @_;
    wait_for(sub {
        local *STDERR;
        open STDERR, '>', '/dev/null';
        eval {

            # who connects again and again would not let it be renamed

            $m->psql_admin("ALTER DATABASE $from ALLOW_CONNECTIONS false");
            $m->psql_admin("SELECT pg_terminate_backend(pid)
                            FROM pg_stat_activity WHERE datname = '$from'");
            $m->psql_admin("ALTER DATABASE $from RENAME TO $to");
            $m->psql_admin("ALTER DATABASE $to ALLOW_CONNECTIONS true");
            1
        }
    }, "the database is called $to");
};
$rename->($m->{db}, "$m->{db}_away");
$m->psql("DELETE FROM media_record;
          UPDATE streamer_monitor SET owner = NULL, lease_until = NULL,
          check_at = now();
          UPDATE streamer SET last_stream_at = NULL", "$m->{db}_away");
$m->channel('iota', live => 0, stall => 1, endlist => JSON::PP::true);
wait_for(sub { $m->playlist($r) =~ /#EXT-X-ENDLIST/ }, 'it ends', 30);
my $n = playlist_entries($m->playlist($r));
$rename->("$m->{db}_away", $m->{db});

wait_for(sub { $m->one('SELECT count(*) FROM media_record') }, 'it has a row',
         30);
wait_for(sub { $m->log =~ /has forgotten the recording in "\Q$path\E"/ },
         'the log says so');
my @row = @{ $m->psql('SELECT path, status, segments, ended_at > started_at,
                       channel_name FROM media_record') };
is(scalar @row, 1, 'one row');
is("@{ $row[0] }", "$path recorded $n t iota", 'of these files');

@row = @{ $m->psql('SELECT s.recorded, s.last_recorded_at = r.ended_at,
                    s.last_stream_at >= r.ended_at, s.status, r.counted
                    FROM streamer s JOIN media_record r
                    ON r.streamer_id = s.id') };
is("@{ $row[0] }", '1 t t idle t', 'the streamer knows of it');

# the worker that answers may be without a connection still

my $again = wait_for(sub { $m->recordings->[0] }, 'it is listed');
is($again->{url}, $r->{url}, 'with its address');

$m->finish;
