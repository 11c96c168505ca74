#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# bash launcher_test.sh <launcher> <scratch directory>: the launcher in front of a small program of its own, with the
# real CMake and compiler. dpkg-query, apt-get, id and sudo are replaced: a test installs nothing.
set -uo pipefail
launcher=$1
work=$2
failures=0

expect() { # what, actual, expected
  [ "$2" = "$3" ] && return
  printf 'FAILED: %s: got "%s", expected "%s"\n' "$1" "$2" "$3"
  failures=$((failures + 1))
}
expect_in() { # what, text, part
  [[ $2 == *"$3"* ]] && return
  printf 'FAILED: %s: no "%s" in "%s"\n' "$1" "$3" "$2"
  failures=$((failures + 1))
}

# A house of the same shape with a program that tells how it was called.
rm -rf "$work"
tree="$work/the tree"
mkdir -p "$tree/apps" "$work/elsewhere" "$work/shims"
cp "$launcher" "$tree/spinetherm"
cat > "$tree/CMakeLists.txt" << 'END'
cmake_minimum_required(VERSION 3.25)
project(small LANGUAGES CXX)
option(SPINETHERM_TESTS "" ON)
option(SPINETHERM_SANITIZE "" OFF)
add_subdirectory(apps)
END
cat > "$tree/apps/CMakeLists.txt" << 'END'
add_executable(spinetherm_cli main.cpp)
set_target_properties(spinetherm_cli PROPERTIES OUTPUT_NAME spinetherm)
END
cat > "$tree/apps/main.cpp" << 'END'
#include <unistd.h>
#include <cstdio>
#include <cstdlib>
#include <cstring>
int main(int argc, char** argv) {
  char here[4096];
  if (argc > 1 && std::strcmp(argv[1], "sleep") == 0) {
    std::puts("sleeping");
    std::fflush(stdout);
    sleep(30);
  }
  std::printf("%s|", getcwd(here, sizeof here));
  for (int n = 1; n < argc; ++n) std::printf("[%s]", argv[n]);
  std::printf("\n");
  return argc > 1 && std::strcmp(argv[1], "exit") == 0 ? std::atoi(argv[2]) : 0;
}
END
# dpkg-query that finds every package: what the launcher needs is here, else this test could not be built.
printf '#!/bin/sh\nshift 2\nfor p in "$@"; do echo "$p installed"; done\n' > "$work/shims/dpkg-query"
printf '#!/bin/sh\necho called >> "%s"\nexit 1\n' "$work/apt-calls" > "$work/shims/apt-get"
chmod +x "$work/shims/"*
printf 'ID=debian\nVERSION_ID="12"\n' > "$work/debian-12"
printf 'ID=fedora\nVERSION_ID="41"\n' > "$work/fedora"
export SPINETHERM_OS_RELEASE="$work/debian-12"
unset SPINETHERM_BUILD_DIR
with_packages() { PATH="$work/shims:$PATH" "$@"; }

# 1. Builds, passes arguments as they are, keeps the caller's folder; stdout holds the program's words alone.
cd "$work/elsewhere" || exit 1
out=$(with_packages "$tree/spinetherm" run "a b" --x='$y' 2> "$work/err")
expect "first call" "$?" 0
expect "stdout of the first call" "$out" "$work/elsewhere|[run][a b][--x=\$y]"
expect_in "stderr of the first call" "$(cat "$work/err")" "spinetherm: building"

# 2. A second call does nothing but run the program, also through a symlink and without the tools in sight.
ln -s "$tree/spinetherm" "$work/linked"
mkdir "$work/no-tools"
for tool in cmake ninja apt-get dpkg-query; do
  printf '#!/bin/sh\necho "%s was called" >&2\nexit 1\n' $tool > "$work/no-tools/$tool"
done
chmod +x "$work/no-tools/"*
out=$(PATH="$work/no-tools:$PATH" "$work/linked" demo 2> "$work/err")
expect "second call" "$?" 0
expect "stdout of the second call" "$out" "$work/elsewhere|[demo]"
expect "stderr of the second call" "$(cat "$work/err")" ""

# 3. The exit code and signals are the program's.
with_packages "$tree/spinetherm" exit 7 > /dev/null 2>&1
expect "exit code" "$?" 7
"$tree/spinetherm" sleep > "$work/out" 2>&1 &
child=$!
for _ in $(seq 100); do
  [ -s "$work/out" ] && break
  sleep 0.05
done
kill -TERM $child
wait $child
expect "a signal reaches the program" "$?" 143

# 4. A source that changed, came or went is noticed.
sleep 0.02
sed -i 's/%s|/%s#/' "$tree/apps/main.cpp"
out=$(with_packages "$tree/spinetherm" demo 2> "$work/err")
expect "after a change" "$out" "$work/elsewhere#[demo]"
sleep 0.02
echo > "$tree/apps/other.cpp"
with_packages "$tree/spinetherm" demo > /dev/null 2> "$work/err"
expect_in "after a new file" "$(cat "$work/err")" "spinetherm: building"

# 5. A source that does not compile: exit 3, nothing on stdout, and again at the next call.
cp "$tree/apps/main.cpp" "$work/main.cpp"
echo "int broken = ;" >> "$tree/apps/main.cpp"
for _ in 1 2; do
  out=$(with_packages "$tree/spinetherm" demo 2> "$work/err")
  expect "a broken build" "$?:$out" "3:"
  expect_in "a broken build" "$(tail -n 1 "$work/err")" "error: the build failed"
done
cp "$work/main.cpp" "$tree/apps/main.cpp"

# 6. The tree was copied with its build folder: built anew for its own place.
cp -r "$tree" "$work/copy"
sed -i 's/%s#/copy %s#/' "$work/copy/apps/main.cpp"
out=$(with_packages "$work/copy/spinetherm" demo 2> "$work/err")
expect "a copied tree" "$out" "copy $work/elsewhere#[demo]"

# 7. tidy: a folder of its own without precompiled headers, nothing built; options are passed on, ITK sources left out.
echo '#include <itkImage.h>' > "$tree/apps/with_itk.cpp"
printf '#!/bin/sh\nprintf "[%%s]" "$@"\nexit 4\n' > "$work/shims/run-clang-tidy"
chmod +x "$work/shims/run-clang-tidy"
mkdir -p "$tree/imaging" "$tree/thermal" "$tree/planning" "$tree/datasets"
out=$(with_packages "$tree/spinetherm" tidy -fix 2> "$work/err")
expect "tidy: its exit code" "$?" 4
expect "tidy: options and sources" "$(sed 's/\[-j\]\[[0-9]*\]//' <<< "$out")" \
  "[-quiet][-p][$tree/build-tidy][-fix][/apps/main.cpp\$][/apps/other.cpp\$]"
expect "tidy: no precompiled headers" "$(grep -c '^CMAKE_DISABLE_PRECOMPILE_HEADERS:.*=ON' "$tree/build-tidy/CMakeCache.txt")" 1
expect "tidy: nothing built" "$(find "$tree/build-tidy" -name '*.o' -path '*spinetherm_cli*')" ""

# 8. Missing packages without root: one line with the command to give, exit 2, nothing installed or built.
rm -rf "$tree/build"
printf '#!/bin/sh\nshift 2\nfor p in "$@"; do [ $p = cmake ] || [ $p = libfmt-dev ] || echo "$p installed"; done\nexit 1\n' \
  > "$work/shims/dpkg-query"
printf '#!/bin/sh\necho 1000\n' > "$work/shims/id"
printf '#!/bin/sh\nexit 1\n' > "$work/shims/sudo"
chmod +x "$work/shims/"*
out=$(with_packages "$tree/spinetherm" demo 2> "$work/err")
expect "without root" "$?:$out" "2:"
expect "one line" "$(wc -l < "$work/err")" 1
expect_in "without root" "$(cat "$work/err")" "apt-get install -y --no-install-recommends cmake libfmt-dev' as root"
expect "nothing built" "$([ -e "$tree/build" ] && echo built)" ""
expect "apt-get was not called" "$(cat "$work/apt-calls" 2> /dev/null)" ""

# 9. Another system: what is needed and how to build with CMake alone; exit 2.
out=$(SPINETHERM_OS_RELEASE="$work/fedora" with_packages "$tree/spinetherm" demo 2> "$work/err")
expect "another system" "$?:$out" "2:"
expect_in "another system" "$(cat "$work/err")" "ITK >= 5.2"
expect_in "another system" "$(cat "$work/err")" "cmake -S \"$tree\" -B \"$tree/build\" -G Ninja"
# ... and what it says works: from then on the launcher builds and runs.
cmake -S "$tree" -B "$tree/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DSPINETHERM_TESTS=OFF > /dev/null
cmake --build "$tree/build" > /dev/null
out=$(SPINETHERM_OS_RELEASE="$work/fedora" with_packages "$tree/spinetherm" demo 2> /dev/null)
expect "another system, configured by hand" "$?:$out" "0:$work/elsewhere#[demo]"

# 10. No argument: the launcher's own help, on stderr.
out=$(with_packages "$tree/spinetherm" 2> "$work/err")
expect "no argument" "$?:$out" "2:"
expect_in "no argument" "$(cat "$work/err")" "./spinetherm test --sanitize"

[ $failures = 0 ] && rm -rf "$work"
exit $((failures > 0))
