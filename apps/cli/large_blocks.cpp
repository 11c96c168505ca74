// SPDX-License-Identifier: Apache-2.0
// Where the program's memory comes from: large blocks begin on a cache line, and the largest lie in pages of
// 2 MB where the system has them. A sweep over a field then reads whole lines only, and a field is there
// after a few faults instead of thousands.
#include <sys/mman.h>

#include <cstdlib>
#include <new>

namespace {

constexpr std::size_t kLarge = std::size_t(1) << 16, kLine = 64, kHugePage = std::size_t(1) << 21;

std::size_t whole(std::size_t size, std::size_t unit) { return (size + unit - 1) / unit * unit; }

void* block(std::size_t size) {
  if (size < kLarge) return std::malloc(size > 0 ? size : 1);
  const bool huge = size >= kHugePage;
  const std::size_t unit = huge ? kHugePage : kLine, taken = whole(size, unit);
  if (taken < size) return nullptr;  // more than there are numbers
  void* p = std::aligned_alloc(unit, taken);
  if (p != nullptr && huge) (void)madvise(p, taken, MADV_HUGEPAGE);  // without it pages are small
  return p;
}

}  // namespace

[[gnu::noinline]] void* operator new(std::size_t size) {
  for (;;) {
    if (void* p = block(size)) return p;
    const std::new_handler handler = std::get_new_handler();
    if (handler == nullptr) throw std::bad_alloc();
    handler();
  }
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }
