use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;

# U11, LIB-06: an engine that cannot tell its storage from others (its file of a
# number cannot be read) deletes by no rule, and makes no exports, of recordings
# that have one; and an export waits until what was cut is cut on the disk.

my $m = MNT->new(workers => 1, mntreamer => 'jobs off;');
$m->start;
$m->up;
$m->psql(<<'END');
INSERT INTO media_record (id, platform, channel_id, day, sequence, path, epoch, storage,
                          status, started_at, ended_at, segments, bytes, duration_us)
     SELECT i, 1, 'c' || i, '2026-01-01', 1, 'c/' || i, 1,
            CASE WHEN i < 3 THEN 'elsewhere' END, 'recorded', '2026-01-01', '2026-01-02',
            5, 1000, 10000000
       FROM generate_series(1, 3) i;
END

my $would = sub {
    my ($storage, $mark) = @_;
    return $m->one("BEGIN; SELECT count(*) FROM mntreamer_retention($storage, 60, NULL, NULL,
                    60000, 0, $mark); ROLLBACK") =~ /(\d+)/ && $1;
};
is($would->("'elsewhere'", 'false'), 3, 'what a rule would delete');
is($would->("'elsewhere'", 'true'), 3, '... and deletes');
is($would->('NULL', 'true'), 0, 'nothing by one that does not know whose they are');
$m->psql("UPDATE media_record SET storage = NULL");
is($would->('NULL', 'true'), 3, '... unless nobody does: there is one storage');
$m->psql("UPDATE media_record SET storage = 'elsewhere' WHERE id < 3");

my $claims = sub {
    my ($storage) = @_;
    return $m->one("BEGIN; SELECT count(*) FROM mntreamer_job_claim(1, $storage, 1000, 0);
                    ROLLBACK") =~ /(\d+)/ && $1;
};
$m->psql("INSERT INTO job (recording_id, segments) VALUES (1, 5)");
is($claims->("'elsewhere'"), 1, 'an export is taken');
is($claims->('NULL'), 0, '... not by one that does not know whose it is');
$m->psql("UPDATE media_record SET cut_version = cut_version + 1 WHERE id = 1");
is($claims->("'elsewhere'"), 0, 'it waits for a cut');
$m->psql("UPDATE media_record SET cut_applied = cut_version WHERE id = 1");
is($claims->("'elsewhere'"), 1, '... until that is on the disk');
$m->finish;
