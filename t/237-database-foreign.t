use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;

# RELIABILITY B7: a database of another encoding, or with a newer schema, is
# not written to, and the log says why.

my $m = MNT->new(workers => 1);
$m->psql_admin("DROP DATABASE $m->{db}");
$m->psql_admin("CREATE DATABASE $m->{db} ENCODING 'SQL_ASCII' LC_COLLATE 'C'"
               . " LC_CTYPE 'C' TEMPLATE template0");
$m->start;
wait_for(sub { $m->log =~ /has encoding "SQL_ASCII" and not UTF8/ },
         'the log names the encoding');
is($m->get('/health')->{status}, 503, 'it is not up');
is($m->one("SELECT count(*) FROM pg_class WHERE relname = 'streamer'"), 0,
   'nothing is written');
$m->finish;
