#!/usr/bin/env bash
# The first hour of a new user, in a copy of the last commit and a fresh environment: every command that README and
# "Getting started" print, then a network on photographs of one's own. It needs the internet and some twenty minutes:
#
#   tests/first_hour.sh [PYTHON]
set -euo pipefail
PYTHON="${1:-python3}"
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
git -C "$(dirname "$0")/.." archive HEAD | tar -x -C "$folder"
cd "$folder"
"$PYTHON" -m venv venv
PATH="$folder/venv/bin:$PATH"
export MPLBACKEND=Agg

run() {
  echo "+ $*"
  bash -c "$*"
}
# a command that must end with 2 and one line that has a word
refused() {
  local word="$1" code=0 said
  shift
  echo "+ $*"
  said="$(bash -c "$*" 2>&1 > /dev/null)" || code=$?
  echo "$said"
  [ "$code" = 2 ] && [ "$(wc -l <<< "$said")" = 1 ] && grep -q -- "$word" <<< "$said"
}
printed() { awk '/^```bash/ { on = 1; next } /^```/ { on = 0 } on' "$1"; }

while IFS= read -r line <&3; do
  case "$line" in
    "make test") ;;     # takes longer than the hour
    *cu112*) ;;         # needs a GPU
    "make demo") [ -d runs/demo ] || run "$line" ;;  # once
    *) run "$line" ;;
  esac
done 3< <(printed README.md && printed docs/getting-started.md | sed 's,runs/eca,runs/eca2,g; s,export/eca,export/eca2,g')

python - << 'END'
from pathlib import Path
from sklearn.datasets import load_sample_images
from PIL import Image

for name, pixels in zip(("china", "flower"), load_sample_images().images):
    for number in range(16):
        image = Image.fromarray(pixels).crop((20 * number, 10 * number, 20 * number + 200, 10 * number + 200))
        path = Path("flat", name, f"{number}.jpg")
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path)
END
small="--model resnet18_v1b --input-size 64 --batch-size 4 --val-share 0.25 --lr 0.01"
refused val-share "python train_imagenet.py flat --model resnet18_v1b"
run "python train_imagenet.py flat $small --num-epochs 1 --run-dir runs/plain"
run "python train_imagenet.py flat $small --num-epochs 2 --run-dir runs/se --attention se --pretrained \
  runs/plain/best.params --attention-start identity --freeze-epochs 1"
run "python train_imagenet.py flat $small --num-epochs 3 --run-dir runs/se --attention se --pretrained \
  runs/plain/best.params --attention-start identity --freeze-epochs 1 --resume auto"
run "gluon-attn predict flat --model runs/se"
run "gluon-attn report runs/plain runs/se --output report.html"

for command in "train_cifar.py --help" "train_imagenet.py --help" "train_coco.py --help" "search.py --help"; do
  lines="$(python $command | wc -l)"
  echo "python $command: $lines lines"
  [ "$lines" -lt 60 ]
done
for command in models "models 'eca*'" attentions "train --help" "compare --help" "export --help"; do
  lines="$(eval "gluon-attn $command" | wc -l)"
  echo "gluon-attn $command: $lines lines"
  [ "$lines" -lt 60 ]
done
echo "the first hour went well"
