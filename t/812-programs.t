use strict;
use warnings;
use lib 't/lib';
use MNT;
use File::Temp qw(tempdir);
use Test::More;

# Other programs, by the supervisor that starts them: what they get and do not
# get, deadlines, floods, and that nothing is left when anybody dies.  What a
# worker does with it is in 813 and 814.

my $dir = tempdir('mntprog-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $build = $MNT::MODULE =~ s{/[^/]+$}{}r;
$build =~ s{/(?:san|inject)$}{};
my $room = "$MNT::TOP/ngx_mntreamer_module";
my @san = $ENV{MNT_SAN} ? '-fsanitize=address,undefined' : ();

my @cc = ('cc', '-g', '-O1', @san, '-o', "$dir/supervisor", '-I', $room,
          '-I', "$build/nginx", map({ ('-I', "$build/nginx-tree/src/$_") }
          'core', 'event', 'event/modules', 'os/unix'),
          "$MNT::TOP/t/lib/supervisor.c",
          glob "$room/loop/ngx_mntreamer_supervisor*.c");
ok(MNT::quiet(@cc), 'the driver is built') or BAIL_OUT("@cc");

open my $fh, '-|', "$dir/supervisor", $dir or die $!;
my $plan = 0;
while (<$fh>) {
    if (/^(not )?ok \d+ - (.*)/) { ok(!$1, $2) }
    elsif (/^1\.\.(\d+)/)        { $plan = $1 }
}
close $fh;
is($?, 0, 'it came to its end');
cmp_ok($plan, '>', 40, 'with all of its tests');
done_testing();
