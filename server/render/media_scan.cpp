#include "server/render/media_scan.hpp"

#include <algorithm>
#include <set>

#include "server/media/probe.hpp"
#include "server/session/node_registry.hpp"

namespace continuo::render {

MediaScan scan_media(const session::Document& document, const media::Roots& roots, const std::string& base) {
  MediaScan scan;
  std::set<std::string> seen;
  session::for_each_node(document.nodes, "", [&](const std::string& path, const session::DocNode& node) {
    if (node.type != "player") return;
    const std::string file = session::text_of(node, "file");
    if (file.empty() || !seen.insert(file).second) return;
    const auto found = roots.find_file(file, base);
    if (!found) {
      scan.missing.push_back({path, file, found.error()});
      return;
    }
    const auto info = media::probe(*found);
    if (!info) {
      scan.missing.push_back({path, file, info.error()});
      return;
    }
    scan.table[file] = {info->channels, info->sample_rate_hz, info->frames};
    scan.paths[file] = *found;
  });
  return scan;
}

Error missing_media_error(const std::vector<MissingMedia>& missing) {
  constexpr std::size_t kNamed = 5;
  Error error = missing.front().error;
  error.field = missing.front().node + ".file";
  std::string text;
  for (std::size_t i = 0; i < std::min(missing.size(), kNamed); ++i) {
    const auto& [node, file, why] = missing[i];
    const bool named = why.message.find(file) != std::string::npos;
    text += (i == 0 ? "" : "; ") + node + ": " + (named ? "" : file + ": ") + why.message;
  }
  if (missing.size() > kNamed) text += "; and " + std::to_string(missing.size() - kNamed) + " more";
  error.message = text;
  return error;
}

}  // namespace continuo::render
