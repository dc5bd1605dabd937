#include "server/control/media_cache.hpp"

#include <memory>
#include <utility>

#include "server/base/log.hpp"
#include "server/media/probe.hpp"
#include "server/session/cue.hpp"
#include "server/session/node_registry.hpp"

namespace continuo::control {

std::set<std::string> files_of(const session::Document& document) {
  std::set<std::string> files;
  session::for_each_node(document.nodes, "", [&](const std::string&, const session::DocNode& node) {
    const session::TypeSpec* type = session::find_type(node.type);
    if (type == nullptr) return;
    for (const session::ParamSpec& spec : type->params) {
      if (spec.kind != session::ParamKind::file) continue;
      std::string file = session::text_of(node, spec.name);
      if (!file.empty()) files.insert(std::move(file));
    }
    for (const session::QueueItem& item : node.queue) files.insert(item.file);
  });
  for (const session::DocCue& cue : document.cues)
    session::for_each_cue_file(cue, [&](const std::string& file) { files.insert(file); });
  return files;
}

MediaCache::MediaCache(Strand& strand, media::DiskPool& pool, media::Roots roots)
    : strand_(strand), pool_(pool), roots_(std::move(roots)) {}

void MediaCache::probe(const std::set<std::string>& files, const std::string& base, std::function<void(Found)> done) {
  if (files.empty()) return done({});
  struct Progress {
    Found found;
    std::size_t left;
    std::function<void(Found)> done;
  };
  auto progress = std::make_shared<Progress>(Progress{{}, files.size(), std::move(done)});
  for (const std::string& file : files) {
    // One file a turn, so that streams are filled in between. Disk threads take turns in order, never at once, and the
    // strand alone touches `progress`.
    pool_.post([file, base, progress, roots = roots_, post = strand_.poster()] {
      Result<media::MediaInfo> info = [&]() -> Result<media::MediaInfo> {
        const auto path = roots.find_file(file, base);
        if (!path) return path.error();
        return media::probe(*path);
      }();
      post([file, progress, info = std::move(info)] {
        if (info) {
          progress->found.facts[file] = {info->channels, info->sample_rate_hz, info->frames};
          if (info->missing_frames > 0) progress->found.cut_off[file] = file + media::cut_off_text(*info);
        } else {
          progress->found.errors[file] = info.error();
        }
        if (--progress->left == 0) progress->done(std::move(progress->found));
      });
    });
  }
}

void MediaCache::keep(const std::set<std::string>& files, const Found& found) {
  session::MediaTable table;
  std::map<std::string, Error, std::less<>> errors;
  std::map<std::string, std::string, std::less<>> cut_off;
  for (const std::string& file : files) {
    const bool looked_at = found.facts.contains(file) || found.errors.contains(file);
    const auto& cut = looked_at ? found.cut_off : cut_off_;
    if (const auto line = cut.find(file); line != cut.end()) {
      if (looked_at) log::warning("{}", line->second);
      cut_off.insert(*line);
    }
    if (const auto fact = found.facts.find(file); fact != found.facts.end()) {
      table.insert(*fact);
    } else if (const auto error = found.errors.find(file); error != found.errors.end()) {
      errors.insert(*error);
    } else if (const auto known = table_.find(file); known != table_.end()) {
      table.insert(*known);
    } else if (const auto before = errors_.find(file); before != errors_.end()) {
      errors.insert(*before);
    }
  }
  table_ = std::move(table);
  errors_ = std::move(errors);
  cut_off_ = std::move(cut_off);
}

std::set<std::string> MediaCache::unknown(const std::set<std::string>& files) const {
  std::set<std::string> result;
  for (const std::string& file : files) {
    if (!table_.contains(file) && !errors_.contains(file)) result.insert(file);
  }
  return result;
}

}  // namespace continuo::control
