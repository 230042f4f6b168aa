"""What the help of each command begins with: examples, and where there are many flags the usual ones."""

from .help import Start

_RUN = ("train.run_dir", "train.resume", "config")
_NETWORK = ("data.dataset", "data.data_dir", "model.model", "model.attention")
_LENGTH = ("train.num_epochs", "data.batch_size", "optim.lr", "train.gpus")
_TRAINING = (*_NETWORK, "model.pretrained", *_LENGTH, *_RUN)
_SEARCH = ("data.dataset", "data.data_dir", *_LENGTH, *_RUN)
_STUDY = ("output", "workers")
_DIGITS = "--dataset digits --model cifar_resnet20_v1"

#: program, subcommand or search -> the start of its help
STARTS = {
    "train_cifar.py": Start((f"{_DIGITS} --attention se --num-epochs 10",), _TRAINING),
    "train_imagenet.py": Start(
        ("DATA_DIR --attention eca", "DATA_DIR --model resnet18_v1b --attention se --pretrained FILE"), _TRAINING
    ),
    "train_coco.py": Start(
        ("--dataset digit-scenes --model faster_rcnn_fpn_resnet18_v1b --attention eca",),
        (*_NETWORK, "model.pretrained", "detect.schedule", *_LENGTH, *_RUN),
    ),
    "train": Start((f"{_DIGITS} --attention se --num-epochs 10",), ("task", *_TRAINING)),
    "compare": Start(
        (f"{_DIGITS} --attentions identity,se,eca --seeds 3 --num-epochs 8",),
        ("attentions", "seeds", "vary", *_STUDY, "task", "data.dataset", "model.model", *_LENGTH, "config"),
    ),
    "sweep": Start(
        (f"sweep.yaml {_DIGITS} --num-epochs 8 --trials 20",),
        ("trials", *_STUDY, "task", *_NETWORK, *_LENGTH, "config"),
    ),
    "att-darts": Start(("--dataset digits --num-epochs 10", "--dataset cifar10 --data-dir DIR --unrolled"),
                       ("search.unrolled", "search.seeds", "search.dry_run", *_SEARCH)),
    "anas": Start(("--dataset digits --num-epochs 10", "--dataset cifar10 --data-dir DIR --net-type resnet20"),
                  ("space.net_type", "search.seeds", "search.dry_run", *_SEARCH)),
    "ean-supernet": Start((f"{_DIGITS} --attention se --hold-out 20 --num-epochs 20",),
                          (*_NETWORK, "data.hold_out", *_LENGTH, *_RUN)),
    "ean": Start(("--supernet runs/NAME --steps 100", f"--all {_DIGITS} --attention se --hold-out 20 --num-epochs 20"),
                 ("score.supernet", "ean.steps", "score.baselines", "score.reward_for", "data.data_dir", "train.gpus",
                  *_RUN)),
    "ean --all": Start((f"{_DIGITS} --attention se --hold-out 20 --num-epochs 20",),
                       (*_NETWORK, "data.hold_out", "chain.supernet_epochs", "ean.steps", "train.num_epochs",
                        "train.gpus", "train.run_dir", "train.resume")),
    "doctor": Start(("",)),
    **dict.fromkeys(("eval", "evaluate"),
                    Start(("runs/NAME --per-class", "runs/NAME/export/NAME.onnx --dataset digits"))),
    "attentions": Start(("", "'*eca*' --long")),
    "models": Start(("", "'eca*' --cost", "--attention se --long")),
    "cost": Start(("resnet50_v1b --attention eca",)),
    "predict": Start(("photo.jpg --model runs/NAME",)),
    "inspect": Start(("runs/NAME photo.jpg", "runs/NAME --dataset digits")),
    "export": Start(
        ("runs/NAME", "runs/NAME --format onnx openvino --precision float32 int8"),
        ("format", "precision", "output", "with_preprocessing", "purpose", "params", "dataset", "data_dir"),
    ),
    "convert": Start(
        ("eca.pth.tar eca.params --source ecanet --model eca_resnet50_official",
         "runs/NAME se.safetensors --to timm"),
        ("source", "to", "model", "attention", "classes", "weights", "check"),
    ),
    "bench": Start(("runs/NAME runs/NAME/export/NAME.onnx --batch-size 1 8",)),
    "check": Start(("mine --plugin mine.py",)),
    "draw": Start(("Att_DARTS --out cells.svg",)),
    "report": Start(("runs/NAME runs/OTHER --output report.html",)),
    "data": Start(("pack photos/train --output records/train --resize 256",)),
    "demo": Start(("--num-epochs 4",)),
}  # fmt: skip
