use strict;
use warnings;
use utf8;
use lib 't/lib';
use MNT;
use Encode qw(decode encode);
use Test::More;

# REC-02: whatever a title is, the name made of it is safe, the row has the title
# as it was (a NUL, which no row can hold, as U+FFFD), and the recording is served from where the row says.

my @title = (
    '<>:"/\\|?*', '..', '.', '...', '. . .', '   ', ' both ends ', '-rf', '~',
    '../../../etc/passwd', '/etc/passwd', '..\\..\\windows', 'C:\\autoexec.bat',
    'CON', 'con.txt', 'LPT1', 'NUL', 'COM1.ts', '한' x 100, '방송 제목 ' x 40,
    '😀' x 80, "a\x{202e}gpj.ts", "\x{200f}\x{2066}x\x{2069}", "\x{feff}bom",
    "tab\tand\nline", "\x{7f}\x{1b}[31mred", 'a' x 300, 'x.part', '.hidden',
    'index.m3u8', '.index.journal', '%2e%2e%2f', '%s%n%d', '$(reboot)',
    '`id`; rm -rf /', "'; DROP TABLE streamer; --", '<script>alert(1)</script>',
    '{recording_id}', 'trailing dot.', "e\x{301}\x{301}\x{301}" x 60,
    "nul\x{0}title",
);
is(scalar @title, 41, 'forty-one titles');

my $m = MNT->new(workers => 2, mntreamer =>
    'layout "{title}/{recording_id}"; poll_rate 300r/s;');
my @id = map {
    $m->channel("t$_", live => 1, dur => 1, size => 5000, title => $title[$_])
} 0 .. $#title;
$m->start;
$m->up;
$m->call(POST => '/api/v1/streamers', { items => [
    map { { platform => 'chzzk', channel => $_ } } @id ] });

my $all = sub { @{ $m->json('/api/v1/recordings?limit=100')->{items} } };
wait_for(sub { (grep { $_->{segments} >= 1 } $all->()) == 41 },
         'all are recorded', 40);

my %r = map { $_->{channel_id} => $_ } $all->();
my %path = map { $_->[0] => $_->[1] }
    @{ $m->psql('SELECT id, path FROM media_record') };
my %dir;

for my $i (0 .. $#title) {
    my $r = $r{ $id[$i] } or next;
    my $name = substr $title[$i], 0, 20;
    my $title = $title[$i] =~ s/\x{0}/\x{fffd}/gr;
    is($r->{title}, $title, "the row has the title: " . ($name =~ s/\s/ /gr));

    my $bytes = $path{ $r->{id} };
    my $path = eval { decode('UTF-8', my $copy = $bytes,
                             Encode::FB_CROAK) };
    my ($part, $id, @more) = split m{/}, $path // '', -1;
    my $bad = !defined $path ? 'no UTF-8' : @more ? 'too deep'
        : $id ne $r->{id} ? 'not its number'
        : length(encode('UTF-8', $part)) > 120 ? 'too long'
        : $part eq '' ? 'empty'
        : $part =~ m{[<>:"/\\|?*\x00-\x1f\x7f]} ? 'a character'
        : $part =~ /[\x{80}-\x{9f}\x{200e}\x{200f}\x{202a}-\x{202e}\x{2066}-\x{2069}]/
            ? 'a control'
        : $part =~ /^[.\- ]|[. ]\z/ ? 'an end'
        : $part =~ /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i ? 'a device' : '';
    is($bad, '', '... its name is safe') or diag $bytes;
    ok(-d "$m->{storage}/$bytes", '... and on the disk');
    like($m->playlist($r), qr/^#EXTM3U/, '... from where it is served');
    $dir{$bytes}++;
}

is(scalar(keys %dir), 41, 'each has a directory of its own');
opendir my $d, $m->{storage};
is(scalar(grep { !/^\.\.?$/ && !/^\.mnt/ } readdir $d) <= 41 ? 1 : 0, 1,
   'nothing else is in the storage');

$m->finish;
