use strict;
use warnings;
use lib 't/lib';
use MNT;
use File::Find;
use Test::More;

# RELIABILITY S13: whatever the umask is, files of recordings are 0640 and
# directories 0750, also those that a recovery has written anew.

my $m = MNT->new(workers => 2);
$m->channel('sep', live => 1, dur => 0.5, kind => 'fmp4', audio => 1,
            map_every => 3);
$m->channel('key', live => 1, dur => 0.5, key => 'explicit', window => 10);
my $umask = umask 0;
$m->start;
umask $umask;
$m->up;
$m->watch($_) for 'sep', 'key';

my $more = sub {
    my ($n, $name) = @_;
    wait_for(sub { 2 == grep { $_->{segments} > $n } @{ $m->recordings } },
             $name, 20);
};
my ($files, $wrong, %seen);
my $look = sub {
    ($files, $wrong) = (0, '');
    find({ no_chdir => 1, wanted => sub {
        my @s = lstat or return;
        return if $_ eq $m->{storage};
        my $mode = $s[2] & 07777;
        my ($end) = /(\.\w+)$/;
        $files++;
        $seen{$end // ''}++;
        $wrong .= sprintf "%s is %04o\n", $_, $mode
            if $mode != (-d _ ? 0750 : 0640);
    } }, $m->{storage});
};

$more->(3, 'two are recorded');
$look->();
cmp_ok($files, '>', 20, 'files of all kinds:') or diag join ' ', %seen;
ok($seen{$_}, "... $_") for qw(.m3u8 .journal .ts .m4s .mp4);
is($wrong, '', 'each as it should be');

$m->crash;
my ($r) = map { $_->[0] } @{ $m->psql('SELECT path FROM media_record LIMIT 1') };
for (glob "$m->{storage}/$r/*.m3u8") {
    my $text = slurp($_);
    spew($_, substr $text, 0, length($text) - 10);
}
$umask = umask 0;
$m->start;
umask $umask;
$more->(6, 'they go on after a crash');
$look->();
is($wrong, '', 'what was recovered, too');

$m->finish;
