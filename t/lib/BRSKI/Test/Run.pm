# SPDX-License-Identifier: Apache-2.0
#
# BRSKI::Test::Run: one run of the endpoint suites, what t/TEST does: a run directory, a private
# PostgreSQL if the run is on it, a MASA started by Apache::Test, the test files through
# TAP::Harness, a summary that ./check counts. Fit for root: Apache::Test as it comes refuses and
# says it passed.
package BRSKI::Test::Run;

use strict;
use warnings;

# Apache::Test must take nothing from the machine's own configuration.
sub settings
{
    my ($run, $main) = @_;

    require Apache::TestConfig;
    BRSKI::Test::World::write_file("$run/mpm.conf", BRSKI::Test::Httpd->mpm_text);
    %Apache::TestConfig::Argv = (
        httpd => httpd_wrapper($run), apxs => '', httpd_conf => "$run/mpm.conf",
        top_dir => $run, t_dir => "$run/t", servername => 'localhost', minclients => 10,
        maxclients => 40, user => BRSKI::Test::World::server_user(),
        group => scalar getgrgid((BRSKI::Test::World::server_ids())[1]),
        startup_timeout => 60, t_logs => $main->httpd->dir,
    );
    $ENV{APACHE_TEST_PORT} = $main->httpd->port;
    $ENV{APACHE_TEST_NO_STICKY_PREFERENCES} = 1;
    $ENV{APACHE_TEST_COLOR} = 0;
}

# httpd with the environment that every httpd of the tests has.
sub httpd_wrapper
{
    my ($run) = @_;
    my $env = BRSKI::Test::Httpd::environment();
    my $program = BRSKI::Test::Httpd::httpd_program();
    my $text = "#!/bin/sh\n# The httpd under test, without the caller's environment.\n";

    for my $name (sort keys %$env) {
        $text .= defined $env->{$name} ? "$name='$env->{$name}'; export $name\n" : "unset $name\n";
    }
    my $path = BRSKI::Test::World::write_file("$run/httpd", $text . "exec $program \"\$@\"\n");
    chmod 0755, $path;
    return $path;
}

# t/TEST [-v] [FILE...]; FILE as t/masa/x.t from the source tree. Exit status: 0 all passed.
sub main
{
    my ($class, @args) = @_;
    my $verbose = grep { /^--?v(?:erbose)?$/ } @args;
    my @files = grep { !/^-/ } @args;

    require BRSKI::Test::World;
    my $run = BRSKI::Test::World::run_dir();
    local $ENV{BRSKI_TEST_RUN} = $run;
    my $status = eval { $class->run_in($run, $verbose, @files) };
    if (!defined $status) {
        warn "t/TEST: $@";
        $status = 1;
    }
    chdir '/';
    finish($run, $status);
    return $status;
}

sub run_in
{
    my ($class, $run, $verbose, @files) = @_;

    require BRSKI::Test::Masa;
    require BRSKI::Test::Postgres;
    my @tests = map { source_file($_) } @files ? @files : all_tests();
    my $postgres;
    if (BRSKI::Test::World::dialect() eq 'pgsql') {
        $postgres = BRSKI::Test::Postgres->new;
        $ENV{BRSKI_TEST_PG} = $postgres->dir;
    }
    my $main = BRSKI::Test::Masa->new(name => 'main', devices => 20);
    $ENV{BRSKI_TEST_MAIN} = $main->describe("$run/main.json");
    return serve_and_test($run, $main, $verbose, @tests);
}

# Apache::Test configures, starts and stops; the tests run in between.
sub serve_and_test
{
    my ($run, $main, $verbose, @tests) = @_;
    my $status = 1;

    mkdir "$run/t";
    mkdir "$run/t/conf";
    settings($run, $main);
    require Apache::TestRun;
    # Included, for Apache::Test would rewrite the virtual hosts of a template.
    BRSKI::Test::World::write_file("$run/t/conf/httpd.conf.in", "Include $main->{httpd}{conf}\n");
    @BRSKI::Test::Run::Apache::ISA = ('Apache::TestRun');
    no warnings 'once';
    *BRSKI::Test::Run::Apache::check_runtime_user = sub { 1 };
    *BRSKI::Test::Run::Apache::run_tests = sub { $status = run_tests($verbose, @tests) };
    *BRSKI::Test::Run::Apache::set_ulimit = sub { };
    *BRSKI::Test::Run::Apache::scan_core = sub { };
    *BRSKI::Test::Run::Apache::try_bug_report = sub { };
    use warnings 'once';
    chdir $run or die "$run: $!\n";
    local $0 = "$run/t/TEST";
    BRSKI::Test::Run::Apache->new->run();
    return $status;
}

# In builds elsewhere tests are run where they are; a path may be given from the top or from t/.
sub source_file
{
    my ($file) = @_;
    my $top = BRSKI::Test::World::top_srcdir();

    for my $path ($file, "$top/$file", "$top/t/$file") {
        return Cwd::abs_path($path) if -f $path;
    }
    die "$file: no such test\n";
}

sub all_tests
{
    my $top = BRSKI::Test::World::top_srcdir();
    return sort grep { !m{/t/tools/} } glob "$top/t/*/*.t $top/t/*.t";
}

sub run_tests
{
    my ($verbose, @tests) = @_;
    require TAP::Harness;
    my $top = BRSKI::Test::World::top_srcdir();
    my $harness = TAP::Harness->new({
        verbosity => $verbose ? 1 : 0, lib => ["$top/t/lib"], merge => 0, timer => 1,
        jobs => ($ENV{HARNESS_OPTIONS} || '') =~ /\bj(\d+)/ ? $1 : 1,
    });
    my $result = $harness->runtests(map { [ $_, name_of($_) ] } @tests);

    print_summary($result);
    return $result->all_passed ? 0 : 1;
}

sub name_of
{
    my ($path) = @_;
    my $top = Cwd::abs_path(BRSKI::Test::World::top_srcdir());

    $path =~ s{^\Q$top\E/}{};
    return $path;
}

# The lines that automake's TAP driver prints for the unit tests, so that both are counted alike.
# A file that ended badly without a failed test counts as one failure.
sub print_summary
{
    my ($result) = @_;
    my ($skipped, $failed) = (scalar $result->skipped, scalar $result->failed);
    my %bad = map { $_ => 1 } $result->exit, $result->wait, $result->parse_errors;
    my %with_failures = map { $_ => 1 } $result->failed;
    my $broken = grep { !$result->{parser_for}{$_}->failed } keys %bad;

    printf "# TOTAL: %d\n# PASS:  %d\n# SKIP:  %d\n# FAIL:  %d\n# ERROR: %d\n",
        $result->total, $result->passed - $skipped, $skipped, $failed, $broken;
}

sub finish
{
    my ($run, $status) = @_;

    if ($ENV{BRSKI_TEST_KEEP} || ($status != 0 && $ENV{BRSKI_TEST_KEEP_FAILED})) {
        print "# left in $run\n";
        return;
    }
    require File::Path;
    File::Path::remove_tree($run);
}

1;
