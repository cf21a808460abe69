use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;

# RELIABILITY B7: a database of another encoding, with a newer schema or without
# a column is not written to, and the log says why; what is being recorded goes
# on, and its rows follow when the schema is ours again.

for my $encoding ('SQL_ASCII', 'LATIN1') {
    my $m = MNT->new(workers => 1);
    $m->psql_admin("DROP DATABASE $m->{db}");
    $m->psql_admin("CREATE DATABASE $m->{db} ENCODING '$encoding' LC_COLLATE 'C'"
                   . " LC_CTYPE 'C' TEMPLATE template0");
    $m->start;
    wait_for(sub { $m->log =~ /has encoding "$encoding" and not UTF8/ },
             "$encoding: the log names the encoding");
    is($m->get('/health')->{status}, 503, 'it is not up');
    is($m->one("SELECT count(*) FROM pg_class WHERE relname = 'streamer'"), 0,
       'nothing is written');
    ok($m->stop, 'nginx ends by itself');
    $m->check_log;
    $m->cleanup;
}

# each of these while it records, noticed by the next connection

my $m = MNT->new(workers => 2);
$m->channel('nu', live => 1, dur => 0.25, window => 8);
$m->start;
$m->up;
$m->watch('nu');
wait_for(sub { my $r = $m->recordings->[0]; $r && $r->{segments} >= 2 },
         'it records');
my $file = "$m->{storage}/" . $m->one('SELECT path FROM media_record')
    . '/index.m3u8';
my $listed = sub { scalar(my @e = playlist_entries(slurp($file))) };
my $cut = sub {
    $m->psql_admin("SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                     WHERE datname = '$m->{db}' AND pid <> pg_backend_pid()");
};

my @change = (
    ['a newer schema', qr/has schema 999, newer than \d+ which this version/,
     "INSERT INTO schema_migration (number, name) VALUES (999, 'later')",
     'DELETE FROM schema_migration WHERE number = 999'],
    ['no such column', qr/column .*segments.* does not exist/,
     'ALTER TABLE media_record RENAME segments TO parts',
     'ALTER TABLE media_record RENAME parts TO segments'],
    ['no such table', qr/relation .*media_gap.* does not exist/,
     'ALTER TABLE media_gap RENAME TO media_hole',
     'ALTER TABLE media_hole RENAME TO media_gap'],
);

for (@change) {
    my ($name, $told, $do, $undo) = @$_;
    my $from = length $m->log;
    my $gone = 'seg/\w+-0-' . ($m->tell('/_/state')->{nu}{last} + 3) . '\b';
    $m->fault(match => $gone, times => -1, status => 404);
    $m->psql($do);
    $cut->();
    wait_for(sub { substr($m->log, $from) =~ $told }, "$name: the log says so",
             20);
    my $n = $listed->();
    wait_for(sub { $listed->() > $n + 8 }, "$name: the recording goes on", 20);
    $m->psql($undo);
    $n = $listed->();
    wait_for(sub { ($m->one('SELECT segments FROM media_record') // 0) >= $n },
             "$name: its row follows", 30);
    wait_for(sub { $m->get('/health')->{status} == 200 }, "$name: it is up", 30);
}
is($m->one('SELECT count(*) FROM media_record'), 1, 'one recording');
my $text = slurp($file);
my $holes = () = $text =~ /^#EXT-X-DISCONTINUITY$/mg;
wait_for(sub { $m->one('SELECT count(*) FROM media_gap') >= $holes },
         'each hole has its row', 10)
    or diag "$holes holes, rows: ", $m->one('SELECT count(*) FROM media_gap');

$m->finish;
