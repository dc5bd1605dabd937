#include "server/render/media_scan.hpp"

#include <algorithm>
#include <set>

#include "server/media/probe.hpp"
#include "server/session/node_registry.hpp"

namespace continuo::render {

MediaScan scan_media(const session::Document& document, const media::Roots& roots, const std::string& base,
                     const std::map<std::string, std::filesystem::path>& given) {
  MediaScan scan;
  std::set<std::string> seen;
  const auto look = [&](const std::string& path, const std::string& param, const std::string& name) {
    if (name.empty() || !seen.insert(name).second) return;
    const auto chosen = given.find(name);
    const std::string shown = chosen == given.end() ? name : chosen->second.string();
    const auto found = chosen == given.end() ? roots.find_file(name, base) : chosen->second;
    const auto info = found ? media::probe(*found) : Result<media::MediaInfo>(found.error());
    if (!info) {
      scan.missing.push_back({path, param, shown, info.error()});
      return;
    }
    if (info->missing_frames > 0) scan.warnings.push_back(shown + media::cut_off_text(*info));
    scan.table[name] = {info->channels, info->sample_rate_hz, info->frames};
    scan.paths[name] = *found;
  };
  session::for_each_node(document.nodes, "", [&](const std::string& path, const session::DocNode& node) {
    const session::TypeSpec* type = session::find_type(node.type);
    if (type == nullptr) return;
    for (const session::ParamSpec& spec : type->params) {
      if (spec.kind == session::ParamKind::file) look(path, std::string(spec.name), session::text_of(node, spec.name));
    }
    for (const session::QueueItem& item : node.queue) look(path, "queue", item.file);
  });
  for (const session::BadImpulse& bad : session::check_impulses(document, scan.table)) {
    scan.missing.push_back({bad.node, bad.error.field, bad.file, bad.error});
  }
  return scan;
}

Error missing_media_error(const std::vector<MissingMedia>& missing) {
  constexpr std::size_t kNamed = 5;
  Error error = missing.front().error;
  error.field = missing.front().node + "." + missing.front().param;
  std::string text;
  for (std::size_t i = 0; i < std::min(missing.size(), kNamed); ++i) {
    const auto& [node, param, file, why] = missing[i];
    const bool named = why.message.find(file) != std::string::npos;
    text += (i == 0 ? "" : "; ") + node + ": " + (named ? "" : file + ": ") + why.message;
  }
  if (missing.size() > kNamed) text += "; and " + std::to_string(missing.size() - kNamed) + " more";
  error.message = text;
  return error;
}

}  // namespace continuo::render
