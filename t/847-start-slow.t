use strict;
use warnings;
use lib 't/lib';
use MNT;
use MNTRTMP;
use Test::More;
use Time::HiRes qw(sleep time);

# REC-04: an own broadcast begins, and the database takes longer for its row than its
# live playlist is long. It is recorded from its first fragment on, as long as the
# fragments are there; what is gone is written down.

my $m = MNTRTMP->new(workers => 2);
$m->start;
$m->up;
my %camera = map { $_ => $m->camera($_) } qw(some all);

# no row is made; anything else is answered

$m->psql(q{CREATE TABLE hold (); INSERT INTO hold DEFAULT VALUES;
CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
IF EXISTS (SELECT FROM hold) THEN RAISE 'no room' USING ERRCODE = '53100'; END IF;
RETURN NEW; END $$;
CREATE TRIGGER hold BEFORE INSERT ON media_record FOR EACH ROW EXECUTE FUNCTION hold()});

my %p = map { $_ => $m->publish($camera{$_}{key}) } keys %camera;
my %name = map { my $c = $camera{$_}; $_ => wait_for(sub { $m->on_air($c) }, "$_ is on the air") }
    keys %camera;

# the number of each fragment, by the file that it is

my (%number, $held);
sub look {
    for my $c (keys %name) {
        for ($m->segments($name{$c})) {
            my ($n) = m{/(\d+)\.ts$};
            my $inode = (stat)[1] or next;
            $number{$c}{$inode} //= $n;
        }
    }
}
my $listed = sub { (slurp("$m->{hls}/$name{$_[0]}/index.m3u8") // '') =~ /MEDIA-SEQUENCE:(\d+)/ ? $1 : 0 };
wait_for(sub { look(); $listed->('all') >= 4 && $listed->('some') >= 4 },
         'the first fragments have left the playlist', 40);
is($m->one('SELECT count(*) FROM media_record'), 0, 'and there is no row yet');

# some of one are gone

my @gone = map { "$m->{hls}/$name{some}/$_.ts" } 1, 2;
is(unlink(@gone), 2, 'two of one are gone');
$m->psql('DELETE FROM hold');
wait_for(sub { look(); 2 == grep { $_->{segments} >= 14 } @{ $m->recordings } },
         'both are recorded', 30);
for my $c (sort keys %name) {
    $m->stop_publisher($p{$c});
    my ($r) = grep { $_->{broadcast_id} eq $name{$c} } @{ $m->recordings };
    wait_for(sub { look(); $m->recording($r->{id})->{status} eq 'recorded' }, "$c: it is over");
    my ($dir) = $r->{url} =~ m{^/recordings/(.*)/index\.m3u8$};
    my @n = map { $number{$c}{ (stat "$m->{storage}/$dir/$_->{uri}")[1] } // 'x' }
        playlist_entries($m->playlist($r));
    pop @n while @n && $n[-1] eq 'x';          # quicker than we look

    # the first one may be sound only, see t/846

    my $from = $m->log =~ /recording $r->{id} of \S+ begins with its first picture/ ? 1 : 0;
    my @want = grep { $c eq 'all' || $_ < 1 || $_ > 2 } $from .. $n[-1];
    is("@n", "@want", "$c: each fragment that was there, in order");
    is($m->one("SELECT string_agg(first_sequence || '+' || segments || ' ' || reason, ', ')
                FROM media_gap WHERE recording_id = $r->{id}") // '', $c eq 'all' ? '' : '1+2 window',
       '... and what was not is written down');
}

$m->no_secrets;
$m->finish;
