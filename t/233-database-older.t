use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;

# RELIABILITY B9, B5: a database that came back with older data, or took writes
# no more. Recordings go on in their files, their rows come again; numbers that
# it gives a second time belong to nobody else; epochs never go back.

my $m = MNT->new(workers => 2, mntreamer => 'lease 2s;');
$m->channel($_, live => 1, dur => 0.3, window => 20) for qw(eta theta);
$m->start;
$m->up;
$m->watch($_) for qw(eta theta);
wait_for(sub { 2 == grep { $_->{segments} >= 4 } @{ $m->recordings } },
         'two record');

# the row of one is forgotten, its lease is not

my $row = $m->psql("SELECT id, path, streamer_id, epoch FROM media_record
                    ORDER BY id")->[0];
my ($id, $path, $streamer, $epoch) = @$row;
my $file = "$m->{storage}/$path/index.m3u8";
my $n;
my $again = sub {
    my ($what) = @_;
    wait_for(sub {
        my $r = $m->psql("SELECT segments FROM media_record
                          WHERE streamer_id = $streamer")->[0];
        $r && $r->[0] > $n + 4
    }, $what, 15);
};
$m->psql("DELETE FROM media_record WHERE id = $id");
$n = playlist_entries(slurp($file));
$again->('its row comes again');
is($m->one("SELECT path FROM media_record WHERE streamer_id = $streamer"),
   $path, 'for the same files');
my @e = playlist_entries(slurp($file));
is(scalar(grep { $_->{discontinuity} } @e), 0, 'without a break') or diag slurp($file);
is($m->one('SELECT count(*) FROM media_gap'), 0, 'or a gap');
like($m->log, qr/has forgotten what is recorded/, 'and the log says so');

# what was claimed is forgotten, too: the epoch goes back

$m->psql("UPDATE streamer_monitor SET owner = NULL, lease_until = NULL,
          epoch = 1, check_at = now() WHERE streamer_id = $streamer;
          DELETE FROM media_record WHERE streamer_id = $streamer;
          NOTIFY mntreamer, 'due'");
$n = playlist_entries(slurp($file));
$again->('it comes again');
cmp_ok($m->one("SELECT epoch FROM media_record
                WHERE streamer_id = $streamer"), '>', $epoch,
       'under an epoch that nobody had');
@e = playlist_entries(slurp($file));
my %made = map { sha256_of($m->segment($_->[0], '1080p60', $_->[1])) => $_->[1] }
    map { my $c = $_; map { [$c, $_] } 0 .. 300 } qw(eta theta);
my @k = map { $made{ sha256_of(slurp("$m->{storage}/$path/$_->{uri}")) } // 'x' } @e;
is("@k", join(' ', $k[0] .. $k[0] + $#k), 'every segment once, in order');

# it was saved while somebody asked about the streamer, whose claim stands in it
# and is never given back

$m->psql("UPDATE streamer_monitor SET owner = (SELECT max(id) FROM engine),
          lease_until = now() + interval '1 hour', epoch = epoch - 1000
          WHERE streamer_id = $streamer;
          DELETE FROM media_record WHERE streamer_id = $streamer");
$n = playlist_entries(slurp($file));
$again->('a claim that is older than ours does not count');
is($m->one('SELECT count(*) FROM media_gap'), 0, 'and nothing is lost');

# numbers of engines are given again: a new worker takes none that is in use

$m->psql("SELECT setval(pg_get_serial_sequence('engine', 'id'), 1, false)");
my %before = map { @$_ } @{ $m->psql('SELECT pid, id FROM engine') };
my ($victim) = sort keys %before;
kill 'KILL', $victim;
wait_for(sub {
    my %now = map { @$_ } @{ $m->psql('SELECT pid, id FROM engine') };
    !$now{$victim} && 2 == keys %now
}, 'a new worker registered');
my %now = map { @$_ } @{ $m->psql('SELECT pid, id FROM engine') };
my ($stayed) = grep { $_ != $victim } keys %before;
is($now{$stayed}, $before{$stayed}, 'the other one kept its number');
$n = $m->one("SELECT sum(segments) FROM media_record");
wait_for(sub { $m->one('SELECT sum(segments) FROM media_record') > $n + 8 },
         'both recordings go on', 15);

# read only: little is said about it, and it goes on soon afterwards

my $said = () = $m->log =~ /\[warn\]/g;
$m->psql("ALTER DATABASE $m->{db} SET default_transaction_read_only = on");
$m->psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = '$m->{db}' AND pid <> pg_backend_pid()");
wait_for(sub { $m->get('/health')->{status} == 503 }, 'read only: it is down');
my @list = playlist_entries(slurp($file));
wait_for(sub { playlist_entries(slurp($file)) > @list + 12 },
         'recordings go on');
my $more = () = $m->log =~ /\[warn\]/g;
cmp_ok($more - $said, '<', 30, 'a line now and then');
$m->psql("ALTER DATABASE $m->{db} RESET default_transaction_read_only",
         'postgres');
my $listed = playlist_entries(slurp($file));
wait_for(sub { $m->one("SELECT segments FROM media_record
                        WHERE streamer_id = $streamer") >= $listed },
         'rows follow', 10);

$m->{allow_log} = qr{exited on signal 9};
$m->finish;
