#include "server/control/missing_media.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <set>

#include "server/base/log.hpp"
#include "server/media/file_time.hpp"

namespace continuo::control {

MissingMedia::MissingMedia(Parts parts, std::chrono::milliseconds every)
    : parts_(parts), every_(every), timer_(parts.strand) {
  wait();
}

void MissingMedia::close() {
  closed_ = true;
  timer_.cancel();
}

void MissingMedia::wait() {
  if (closed_) return;
  timer_.after(every_, [this] { look(); });
}

void MissingMedia::look() {
  const auto& errors = parts_.media.errors();
  if (errors.empty()) {
    seen_.clear();
    return wait();
  }
  std::vector<std::string> names;
  auto next = errors.upper_bound(last_);
  while (names.size() < std::min(kAtOnce, errors.size())) {
    if (next == errors.end()) next = errors.begin();
    names.push_back(next++->first);
  }
  last_ = names.back();
  parts_.pool.post([this, names = std::move(names), base = parts_.media.base(), roots = parts_.media.roots(),
                    post = parts_.strand.poster()] {
    Stamps stamps;
    for (const std::string& name : names) {
      const auto file = roots.find_file(name, base);
      struct stat status{};
      const bool there = file && ::stat(file->c_str(), &status) == 0;
      stamps.emplace_back(name, std::nullopt);
      if (there) stamps.back().second = {status.st_size, media::modified_ns(status)};
    }
    post([this, stamps = std::move(stamps), base] { looked(stamps, base); });
  });
}

void MissingMedia::looked(const Stamps& stamps, const std::string& base) {
  std::set<std::string> still;
  for (const auto& [name, stamp] : stamps) {
    const auto before = seen_.find(name);
    if (!stamp) {
      if (before != seen_.end()) seen_.erase(before);
    } else if (before != seen_.end() && before->second == *stamp) {
      still.insert(name);
    } else {
      seen_[name] = *stamp;
    }
  }
  if (still.empty()) return wait();
  parts_.media.probe(still, base, [this, base](MediaCache::Found found) { came(base, std::move(found)); });
}

void MissingMedia::came(const std::string& base, MediaCache::Found found) {
  wait();
  if (found.facts.empty()) return;
  parts_.jobs.add([this, base, found = std::move(found)](JobQueue::Finish finish) mutable {
    found.errors.clear();
    std::set<std::string> here;
    for (const auto& [name, facts] : found.facts)
      if (base == parts_.media.base() && parts_.media.errors().contains(name)) here.insert(name);
    std::erase_if(found.facts, [&](const auto& one) { return !here.contains(one.first); });
    if (!here.empty()) {
      parts_.media.keep(files_of(*parts_.graph.document()), found);
      for (const std::string& name : here) {
        seen_.erase(name);
        log::info("media: {} is there now", name);
      }
      parts_.delivery.compile_again();
    }
    finish();
  });
}

}  // namespace continuo::control
