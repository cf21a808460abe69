use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;

# "storage": what exists is never given away, "nginx -t" makes nothing, and one
# line says why a directory cannot be used.

my $m = MNT->new;
my $user = $> ? scalar getpwuid $> : 'nobody';

sub facts {
    my @st = lstat $_[0] or return 'nothing';
    return join ' ', sprintf('%o', $st[2]), @st[4, 5];
}

sub with_storage {
    my ($path, $connections) = @_;
    $m->{storage} = $path;
    $m->{raw_config} = undef;
    $m->{raw_config} = $m->config =~ s/worker_connections 1024/
        'worker_connections ' . ($connections || 1024)/er;
}

sub refused {
    my ($path, $names, $what, @args) = @_;
    my $before = facts($path);
    with_storage($path);
    $m->write_config;
    spew("$m->{dir}/logs/nginx.out", '');
    my $rc = $m->nginx(@args);
    my $out = slurp("$m->{dir}/logs/nginx.out");
    my @lines = grep { /\[emerg\]/ } split /\n/, $out;
    isnt($rc, 0, "refused: $what");
    is(scalar @lines, 1, '... with one line') or diag $out;
    like($lines[0] // '', qr/"storage" \Q$path\E .*$names/, '... that says so');
    is(facts($path), $before, '... and nothing was changed');
}

sub passes {
    my ($path, $what) = @_;
    my $before = facts($path);
    with_storage($path);
    my ($rc, $out) = $m->check;
    is($rc, 0, "passes: $what") or diag $out;
    is(facts($path), $before, '... and nothing was changed');
}

my $d = "$m->{dir}/d";
mkdir $d, 0755;

spew("$d/file", "x\n");
chmod 0600, "$d/file";
symlink "$d/file", "$d/link";
mkdir "$d/closed";
chmod 0555, "$d/closed";

for my $args (['-t'], []) {
    my $how = @$args ? 'test' : 'start';
    refused("$d/file", 'is not a directory', "a file, $how", @$args);
    refused("$d/link", 'is not a directory', "a link to a file, $how", @$args);
    refused("$d/no/such", 'is not there', "a missing parent, $how", @$args);
    refused("$d/file/x", 'is not a directory', "below a file, $how", @$args);
    refused("$d/closed", "written by the user \"$user\" .*chown",
            "one that is not for us, $how", @$args);
}

SKIP: {
    skip 'needs root', 1 if $>;

    my (undef, undef, $nobody, $nogroup) = getpwnam 'nobody';
    my (undef, undef, $daemon, $group) = getpwnam 'daemon';

    mkdir "$d/foreign";
    chown $daemon, $group, "$d/foreign";
    chmod 0751, "$d/foreign";

    for my $args (['-t'], []) {
        refused("$d/foreign", 'cannot be written by the user "nobody".*chown nobody ',
                'a foreign directory', @$args);
        refused("$d/foreign/x/y", 'is not there', 'below it', @$args);
    }

    chmod 0700, "$d/foreign";
    mkdir "$d/foreign/own";
    chown $nobody, $nogroup, "$d/foreign/own";
    refused("$d/foreign/own", 'may not enter \S+/foreign$', 'behind a closed door',
            '-t');

    mkdir "$d/group";
    chown $daemon, $nogroup, "$d/group";
    chmod 0770, "$d/group";
    passes("$d/group", "of the workers' group");

    chmod 0707, "$d/group";
    refused("$d/group", 'cannot be written', 'of a group that may not', '-t');

    mkdir "$d/all";
    chown $daemon, $group, "$d/all";
    chmod 0777, "$d/all";
    passes("$d/all", 'for everybody');
}

passes("$d/new", 'one that is to be made');
is(facts("$d/new"), 'nothing', 'a test of the configuration makes nothing');

# a start does

with_storage("$d/new");
$m->start;
wait_for(sub { $m->{http_client}->get("http://127.0.0.1:$m->{port}/health")->{success} },
         'it starts');

my (undef, undef, $uid, $gid) = $> ? (0, 0, $>, $)) : getpwnam 'nobody';
$gid += 0;
is(facts("$d/new"), "40750 $uid $gid", '... and made the directory for its workers');

# a reload leaves alone what is there

chmod 0755, "$d/new";
my $before = facts("$d/new");
my @workers = $m->workers_of;
$m->reload;
wait_for(sub { my %now = map { $_ => 1 } $m->workers_of;
               !grep { $now{$_} } @workers }, 'reloaded');
is(facts("$d/new"), $before, '... which changes neither owner nor mode');

# too few connections: a warning, no refusal

with_storage("$d/new", 12);
my ($rc, $out) = $m->check;
is($rc, 0, 'few connections are no error') or diag $out;
my @warnings = grep { /\[warn\].*worker_connections/ } split /\n/, $out;
is(scalar @warnings, 1, '... but a warning') or diag $out;

with_storage("$d/new");
($rc, $out) = $m->check;
unlike($out, qr/\[warn\]/, 'enough connections are no warning');

$m->stop;
unlink "$m->{dir}/logs/error.log";
$m->cleanup;
done_testing();
